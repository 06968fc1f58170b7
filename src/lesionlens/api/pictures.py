"""Pictures of photos, made for a page: upright, of a wanted size, as JPEG files without metadata."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image

from lesionlens.attention import fit_within
from lesionlens.imaging import Limits, decode

__all__ = ["to_jpeg", "upright_jpeg"]

_QUALITY: Final = 88


def upright_jpeg(data: bytes, side: int, limits: Limits) -> bytes:
    """Return a photo upright and no larger than wanted.

    Args:
        data: The photo's file.
        side: Longest side of the picture in pixels, at most; smaller photos keep their size.
        limits: Largest accepted photo.

    Raises:
        ImageError: The photo cannot be used.
    """
    return to_jpeg(fit_within(decode(data, limits=limits, min_side=side).image, side))


def to_jpeg(image: Image.Image) -> bytes:
    """Return an RGB picture as the bytes of a JPEG file."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return buffer.getvalue()
