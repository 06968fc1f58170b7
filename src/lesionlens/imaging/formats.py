"""The file formats that are accepted, told by their first bytes and never by a name or a declared type."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import BmpImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile

from lesionlens.errors import UnsupportedImageError

__all__ = ["ACCEPTED", "FORMATS", "Format", "sniff"]


@dataclass(frozen=True, slots=True)
class Format:
    """An accepted file format.

    Attributes:
        name: Pillow's name: `JPEG`, `PNG`, `WEBP`, `BMP` or `TIFF`.
        label: The name as people write it.
        open: Pillow's reader of this one format; reads the header only. Called in place of `Image.open`, which warns
            through Python's process-wide warning filters about sizes that `Limits` is there to judge.
    """

    name: str
    label: str
    open: Callable[[io.BytesIO], ImageFile]


# MPO, the multi-picture JPEG of many phones, comes out of the JPEG reader.
_JPEG: Final = Format("JPEG", "JPEG", JpegImagePlugin.jpeg_factory)
_PNG: Final = Format("PNG", "PNG", PngImagePlugin.PngImageFile)
_WEBP: Final = Format("WEBP", "WebP", WebPImagePlugin.WebPImageFile)
_BMP: Final = Format("BMP", "BMP", BmpImagePlugin.BmpImageFile)
_TIFF: Final = Format("TIFF", "TIFF", TiffImagePlugin.TiffImageFile)

FORMATS: Final = (_JPEG, _PNG, _WEBP, _BMP, _TIFF)
ACCEPTED: Final = ", ".join(f.label for f in FORMATS)
"""The accepted formats, for messages."""

_SIGNATURES: Final = (
    (b"\xff\xd8\xff", _JPEG),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"BM", _BMP),
    (b"II*\x00", _TIFF),  # BigTIFF (`II+`) is for files above 4 GiB and stays out
    (b"MM\x00*", _TIFF),
)

# Pictures that people do send and that only need saving in another format: worth a message that names them.
_HEIF_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_KNOWN: Final = ((b"GIF8", "GIF"), (b"%PDF", "PDF"), (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"), (b"\xff\x0a", "JPEG XL"))


def sniff(data: bytes) -> Format:
    """Return the format of a file.

    Args:
        data: The whole file or at least its first 132 bytes.

    Raises:
        UnsupportedImageError: The bytes do not begin like a file of an accepted format.
    """
    for signature, file_format in _SIGNATURES:
        if data.startswith(signature):
            return file_format
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _WEBP
    guess = _guess(data)
    what = f"{guess} files are not accepted" if guess else "the file is not a picture in a format that is accepted"
    raise UnsupportedImageError(f"{what}; accepted: {ACCEPTED}")


def _guess(data: bytes) -> str | None:
    if data[4:8] == b"ftyp":
        return "HEIC" if data[8:12] in _HEIF_BRANDS else "AVIF" if data[8:12] in (b"avif", b"avis") else None
    if data[128:132] == b"DICM":
        return "DICOM"
    return next((name for signature, name in _KNOWN if data.startswith(signature)), None)
