"""The one size at which pictures are outlined, registered and measured, and the way back to their own size.

Coordinates are continuous: x runs to the right from 0 at the left edge of the picture to its width at the right edge,
so that the centre of the first pixel is (0.5, 0.5) and coordinates of one picture at two sizes differ by a factor.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["WORKING_SIDE", "to_working", "working_size"]

WORKING_SIDE: Final = 256
"""Longer side in pixels at which pictures are outlined, registered and measured."""

_SMALLEST_SHORT_SIDE: Final = 32  # px at the working size; a strip thinner than this shows no lesion


def working_size(width: int, height: int) -> tuple[int, int]:
    """Return the size at which a picture is worked on.

    Args:
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.

    Returns:
        Width and height in pixels, the longer of them `WORKING_SIDE`; smaller pictures are enlarged.

    Raises:
        ValueError: The picture is more than eight times as long as wide.
    """
    scale = WORKING_SIDE / max(width, height)
    size = (round(width * scale), round(height * scale))
    if min(size) < _SMALLEST_SHORT_SIDE:
        raise ValueError(
            f"a picture of {width} × {height} pixels is too thin; accepted: at most "
            f"{WORKING_SIDE // _SMALLEST_SHORT_SIDE} times as long as wide"
        )
    return size


def to_working(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return a picture at the working size.

    Args:
        image: Upright RGB picture of any size.

    Returns:
        uint8 `[H, W, 3]`, RGB, antialiased when shrunk; the longer side is `WORKING_SIDE` pixels.

    Raises:
        ValueError: The picture is not in RGB mode, or more than eight times as long as wide.
    """
    if image.mode != "RGB":
        raise ValueError(f"expected an RGB picture, got mode {image.mode!r}; decode it with lesionlens.imaging")
    size = working_size(image.width, image.height)
    if image.size != size:
        # With the gap of 3 a large photo is first shrunk by whole pixels, at no visible loss (Pillow's documentation).
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(image, dtype=np.uint8)
