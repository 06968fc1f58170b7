"""What the skin around a lesion looks like, and how far each pixel lies from it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["otsu", "skin_colour"]

Floats = npt.NDArray[np.float32]

_BAND: Final = 0.08  # of the shorter side: the band along the picture's edges that is mostly skin
_DARKEST: Final = 40.0  # percent of the band left out: hair, dark corners, lesions that reach the edge
_BINS: Final = 64


def skin_colour(lab: Floats) -> Floats:
    """Estimate the colour of the skin from the band along the picture's edges.

    Args:
        lab: float32 `[H, W, 3]`, CIELAB.

    Returns:
        float32 `[3]`, CIELAB: the median of the band's lighter part.
    """
    height, width = lab.shape[:2]
    band = max(1, round(_BAND * min(height, width)))
    inside = np.zeros((height, width), dtype=bool)
    inside[band : height - band, band : width - band] = True
    edge = lab[~inside]
    light = edge[edge[:, 0] >= np.percentile(edge[:, 0], _DARKEST)]
    return np.median(light, axis=0).astype(np.float32)


def otsu(values: Floats) -> float:
    """Return the threshold that parts values into two classes of least variance within (Otsu 1979).

    Args:
        values: float32 of any shape, finite.

    Returns:
        The threshold, in the values' unit; their mean where all are the same.
    """
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return low
    counts, edges = np.histogram(values, bins=_BINS, range=(low, high))
    centres = (edges[:-1] + edges[1:]) / 2.0
    weight = np.cumsum(counts) / counts.sum()
    mean = np.cumsum(counts * centres) / counts.sum()
    spread = (mean[-1] * weight - mean)[:-1] ** 2 / np.maximum(weight * (1.0 - weight), 1e-12)[:-1]
    return float(edges[1:][int(spread.argmax())])
