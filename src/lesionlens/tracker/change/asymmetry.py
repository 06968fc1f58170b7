"""How unlike the two halves of a lesion are, folded along its principal axes."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lesionlens.tracker.change.affine import warp

__all__ = ["Asymmetry", "asymmetry_of"]

_SIDE: Final = 192  # pixels of the square that a lesion is brought into
_DIAMETER: Final = 80.0  # pixels of its equivalent diameter there, so that its size does not matter
_SMOOTHING: Final = 2.0  # pixels there: colour is compared in patches, not pixel by pixel


class Asymmetry(NamedTuple):
    """How unlike the halves of a lesion are; the means over folding along the long and along the short axis.

    Attributes:
        shape: Share of the lesion that finds no counterpart, 0–1: half the area of the difference between the lesion
            and its mirror image, over its area (A2 / 2 of Celebi et al. 2007, *Computerized Medical Imaging and
            Graphics* 31(6), 362–373, § 4.1; the axes are those of the ABCD rule, Stolz et al. 1994).
        colour: Mean difference in colour between counterparts, CIELAB ΔE*ab.
    """

    shape: float
    colour: float


def asymmetry_of(lab: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]) -> Asymmetry:
    """Fold a lesion along its principal axes.

    The axes of a nearly round lesion are where chance puts them, which moves its asymmetry a little, since every
    way of folding it is about as good.

    Args:
        lab: float32 `[H, W, 3]`, CIELAB.
        mask: bool `[H, W]`, true on the lesion, somewhere.
    """
    matrix = _upright(mask)
    solid = warp(mask.astype(np.float32), matrix, (_SIDE, _SIDE)) > 0.5
    if not solid.any():
        return Asymmetry(0.0, 0.0)
    colour = cv2.GaussianBlur(warp(np.ascontiguousarray(lab), matrix, (_SIDE, _SIDE)), (0, 0), _SMOOTHING)
    shapes, colours = [], []
    for axis in (0, 1):
        both = solid & np.flip(solid, axis)
        shapes.append(1.0 - both.sum() / solid.sum())
        difference = np.linalg.norm(colour - np.flip(colour, axis), axis=-1)
        colours.append(difference[both].mean() if both.any() else 0.0)
    return Asymmetry(float(np.mean(shapes)), float(np.mean(colours)))


def _upright(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return the map that lays a lesion's long axis level, its centroid in the middle, and its area to a fixed one."""
    rows, columns = np.nonzero(mask)
    centre = np.array([columns.mean() + 0.5, rows.mean() + 0.5])
    covariance = np.cov(columns, rows) if len(rows) > 2 else np.eye(2)
    angle = 0.5 * math.atan2(2.0 * covariance[0, 1], covariance[0, 0] - covariance[1, 1])
    zoom = _DIAMETER / math.sqrt(4.0 * len(rows) / math.pi)
    cosine, sine = zoom * math.cos(angle), zoom * math.sin(angle)
    linear = np.array([[cosine, sine], [-sine, cosine]])
    return np.column_stack([linear, np.full(2, _SIDE / 2.0) - linear @ centre])
