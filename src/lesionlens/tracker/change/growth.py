"""A lesion that grew by a known amount while the skin around it stayed: for measuring whether growth is seen."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.tracker.change.affine import warp

__all__ = ["grow"]

_MOST: Final = 3.0
_RIM: Final = 3  # pixels of skin that go along, so that the lesion keeps its own soft edge
_SOFT: Final = 1.5  # pixels over which the pasted lesion fades into the skin


def grow(image: Image.Image, mask: npt.NDArray[np.bool_], factor: float) -> Image.Image:
    """Enlarge a lesion evenly about its centroid; it covers the skin next to it, and all other skin stays.

    Args:
        image: RGB picture.
        mask: bool `[H, W]` of the picture's size, true on the lesion, somewhere.
        factor: Of its diameter; below 1 it shrinks, and the skin that comes free is filled in from around.

    Returns:
        The picture afterwards, of the same size.

    Raises:
        ValueError: The factor is out of range, or the mask is empty or of another size.
    """
    if not 1.0 / _MOST <= factor <= _MOST:
        raise ValueError(f"the factor is {factor}; accepted: 1/{_MOST:g} to {_MOST:g}")
    if mask.shape != (image.height, image.width) or not mask.any():
        raise ValueError(f"expected a mask of {image.width} × {image.height} pixels that is true somewhere")
    rows, columns = np.nonzero(mask)
    centre = np.array([columns.mean() + 0.5, rows.mean() + 0.5])
    matrix = np.column_stack([np.eye(2) * factor, centre - factor * centre])
    pixels = np.asarray(image)
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((2 * _RIM + 1, 2 * _RIM + 1), dtype=np.uint8))
    skin = pixels if factor >= 1.0 else cv2.inpaint(pixels, wide, 5.0, cv2.INPAINT_TELEA)
    pasted = warp(pixels, matrix, image.size, border=cv2.BORDER_REFLECT).astype(np.float32)
    share = warp(cv2.GaussianBlur(np.asarray(wide, dtype=np.float32), (0, 0), _SOFT), matrix, image.size)[..., None]
    mixed = share * pasted + (1.0 - share) * skin
    return Image.fromarray(np.clip(np.rint(mixed), 0, 255).astype(np.uint8))
