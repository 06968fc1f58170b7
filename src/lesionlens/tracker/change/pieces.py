"""Connected pieces of a mask, and which of them is the lesion."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["centrality", "largest_piece"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

_CENTRAL: Final = 0.5  # of the longer side: how fast a spot counts less away from the middle


def centrality(shape: tuple[int, ...]) -> Floats:
    """Return how much each pixel counts for lying near the picture's middle.

    Args:
        shape: Height and width in pixels.

    Returns:
        float32 `[H, W]`, 1 in the middle, falling as a bell curve towards 0.
    """
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot(y - (height - 1) / 2.0, x - (width - 1) / 2.0) / max(shape)
    return np.asarray(np.exp(-((distance / _CENTRAL) ** 2)), dtype=np.float32)


def largest_piece(mask: Bools, weight: Floats) -> Bools:
    """Return the connected piece of most weight, without holes.

    Args:
        mask: bool `[H, W]`.
        weight: float32 `[H, W]`, 0 or more.

    Returns:
        bool `[H, W]`, nowhere true if `mask` is not.
    """
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, dtype=bool)
    weights = np.bincount(labels.ravel(), weights=weight.ravel().astype(np.float64))
    weights[0] = 0.0
    piece = labels == int(weights.argmax())
    # Whatever the outside cannot reach is a hole; a frame of one pixel joins all of the outside.
    outside = np.pad(~piece, 1, constant_values=True).astype(np.uint8)
    _, regions = cv2.connectedComponents(outside, connectivity=8)
    return np.asarray(regions[1:-1, 1:-1] != regions[0, 0])
