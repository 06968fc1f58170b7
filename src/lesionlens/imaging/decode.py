"""Untrusted bytes to an upright RGB picture."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Final

from PIL import Image
from PIL.ExifTags import Base
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from lesionlens.errors import CorruptImageError, ImageError, UnsupportedImageError
from lesionlens.imaging.colour import to_rgb
from lesionlens.imaging.formats import ACCEPTED, Format, sniff
from lesionlens.imaging.limits import Limits
from lesionlens.imaging.structure import check_structure

__all__ = ["Photo", "decode"]

_TIFF_COMPRESSIONS: Final = ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "jpeg")
_PILLOW_BOUNDED: Final = ("TIFF", "WEBP")

# What undoes each EXIF orientation (EXIF 2.32, tag 0x0112); 1 is upright.
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FIRST_SIDEWAYS: Final = 5  # this orientation and those above it exchange width and height


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded picture.

    Attributes:
        image: RGB, 8 bits, upright, without metadata; a JPEG may be reduced to ½, ¼ or ⅛ of its sides.
        width: Width in pixels of the upright picture before any reduction.
        height: Height in pixels, likewise.
        format: `JPEG`, `PNG`, `WEBP`, `BMP` or `TIFF`.
    """

    image: Image.Image
    width: int
    height: int
    format: str


_DEFAULT_LIMITS: Final = Limits()


def decode(data: bytes, *, limits: Limits = _DEFAULT_LIMITS, min_side: int | None = None) -> Photo:
    """Decode a picture from an untrusted source.

    Accepts JPEG (also the multi-picture JPEG of phones), PNG, WebP, BMP and TIFF, told by content. Of an animation or a
    document of many pages the first picture is taken. EXIF orientation is applied, transparency is laid over white,
    and an embedded colour profile is followed to sRGB. Keeps no state: safe from any number of threads.

    Args:
        data: The whole file.
        limits: Bounds on bytes and pixels, checked before pixels are decoded. TIFF and WebP files are further held to
            Pillow's own bound, `PIL.Image.MAX_IMAGE_PIXELS`.
        min_side: If given, a JPEG whose shorter side is at least twice this many pixels is decoded at ½, ¼ or ⅛ of its
            size, with the shorter side never below `min_side`. Three times the network's input size keeps the answer
            (docs/imaging.md). Other formats are not reduced.

    Returns:
        The upright RGB picture, with its size before any reduction.

    Raises:
        EmptyImageError: There are no bytes.
        ImageTooLargeError: There are more bytes than `limits` allows.
        UnsupportedImageError: The bytes are not a picture of an accepted format.
        TooManyPixelsError: The picture has more pixels than `limits` allows.
        CorruptImageError: The picture is cut short or damaged.
        ValueError: `min_side` is below 1.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> from lesionlens.imaging import decode
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (640, 480), "tan").save(file, "JPEG")
        >>> photo = decode(file.getvalue(), min_side=200)
        >>> photo.format, photo.width, photo.height, photo.image.size
        ('JPEG', 640, 480, (320, 240))
    """
    if min_side is not None and min_side < 1:
        raise ValueError(f"min_side must be at least 1 pixel, not {min_side}")
    limits.check_bytes(len(data))
    file_format = sniff(data)
    if file_format.name in _PILLOW_BOUNDED and Image.MAX_IMAGE_PIXELS is not None:
        limits = replace(limits, max_pixels=min(limits.max_pixels, Image.MAX_IMAGE_PIXELS))
    check_structure(data, file_format.name, limits)
    try:
        return _decode(data, file_format, limits, min_side)
    except ImageError:
        raise
    except Exception as error:  # Pillow's readers raise nearly every built-in type, MemoryError too, on hostile bytes
        raise CorruptImageError(
            f"the {file_format.label} file is cut short, damaged or of a rare kind that cannot be read; "
            f"accepted: whole {ACCEPTED} files"
        ) from error


def _decode(data: bytes, file_format: Format, limits: Limits, min_side: int | None) -> Photo:
    with file_format.open(io.BytesIO(data)) as image:
        width, height = image.size
        limits.check_pixels(width, height)
        _check_tiff_compression(image)
        orientation = _orientation(image)
        if min_side is not None and file_format.name == "JPEG":
            image.draft(None, (min_side, min_side))
        image.load()
        upright = to_rgb(image)
    del image  # gives its pixels back before a turned copy is made
    if orientation in _UPRIGHT:
        upright = upright.transpose(_UPRIGHT[orientation])
    if orientation >= _FIRST_SIDEWAYS:
        width, height = height, width
    return Photo(upright, width, height, file_format.name)


def _check_tiff_compression(image: ImageFile) -> None:
    if isinstance(image, TiffImageFile) and image.info.get("compression") not in _TIFF_COMPRESSIONS:
        raise UnsupportedImageError(
            "the TIFF file is compressed in a way that is not accepted; accepted: none, PackBits, LZW, Deflate, JPEG"
        )


def _orientation(image: ImageFile) -> int:
    """Return the EXIF orientation, 1–8; 1 where Pillow turns the picture by itself or the tag is missing or broken.

    `ImageOps.exif_transpose` is not used: it also rewrites the whole EXIF block, and fails on blocks that are damaged
    elsewhere.
    """
    if isinstance(image, TiffImageFile):
        return 1
    try:
        orientation = image.getexif().get(Base.Orientation, 1)
    except Exception:  # as many types as the readers raise; a photo with broken metadata is still a photo
        return 1
    return orientation if isinstance(orientation, int) and orientation in _UPRIGHT else 1
