"""From a photo's untrusted bytes to what is recorded of it."""

from __future__ import annotations

import hashlib
from typing import Final

from lesionlens.imaging import Limits, decode
from lesionlens.tracker.records import Photo

__all__ = ["describe_photo"]

_MEDIA_TYPES: Final = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
_SMALL: Final = 64  # pixels: a JPEG is read whole to prove that it can be, but its pixels are not all wanted


def describe_photo(data: bytes, limits: Limits) -> Photo:
    """Prove that a photo can be decoded, and describe it.

    Args:
        data: The bytes of an untrusted image file.
        limits: Largest accepted file and picture.

    Raises:
        ImageError: The picture cannot be used; the same that `lesionlens.imaging.decode` refuses.
    """
    photo = decode(data, limits=limits, min_side=_SMALL)
    return Photo(
        sha256=hashlib.sha256(data).hexdigest(),
        media_type=_MEDIA_TYPES[photo.format],
        width=photo.width,
        height=photo.height,
        byte_size=len(data),
    )
