"""Size and shape of an outline."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lesionlens.tracker.change.contour import enclosed_area, length

__all__ = ["Shape", "shape_of"]


class Shape(NamedTuple):
    """Size and shape of a closed curve, in the unit of its points.

    Attributes:
        area: Area inside, in squared units.
        equivalent_diameter: Diameter of the circle of the same area.
        longest_diameter: Greatest distance between two of its points (Feret).
        perimeter: Its length.
        compactness: perimeter² / (4 π area), 1 for a circle and more for anything else (the compactness index of
            Celebi et al. 2007, *Computerized Medical Imaging and Graphics* 31(6), 362–373, § 4.1).
        solidity: Share of its convex hull that it fills, 0–1; lower with notches (ibid.).
    """

    area: float
    equivalent_diameter: float
    longest_diameter: float
    perimeter: float
    compactness: float
    solidity: float


def shape_of(points: npt.NDArray[np.float64]) -> Shape:
    """Measure a closed curve.

    Args:
        points: float64 `[N, 2]`, N ≥ 3, with an area.

    Raises:
        ValueError: The curve encloses nothing.
    """
    area = enclosed_area(points) if len(points) >= 3 else 0.0
    if area <= 0.0:
        raise ValueError(f"a curve of {len(points)} points encloses no area; expected the outline of a lesion")
    perimeter = length(points)
    hull = np.asarray(cv2.convexHull(points.astype(np.float32)), dtype=np.float64)[:, 0, :]
    distances = np.linalg.norm(hull[:, None, :] - hull[None, :, :], axis=-1)
    return Shape(
        area=area,
        equivalent_diameter=math.sqrt(4.0 * area / math.pi),
        longest_diameter=float(distances.max()),
        perimeter=perimeter,
        compactness=perimeter**2 / (4.0 * math.pi * area),
        solidity=min(1.0, area / enclosed_area(hull)),
    )
