"""Good files of every accepted format, from which the damaged ones are made."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageCms, ImageDraw, TiffImagePlugin

__all__ = ["REAL_FOLDER", "drawn_seeds", "real_seeds"]

REAL_FOLDER: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
"""Where the real photos lie, if they are there."""

_WIDTH, _HEIGHT = 48, 36
_REAL_COUNT: Final = 8
_REAL_SIDE: Final = 96
_ORIENTATION: Final = 0x0112
# First column and row, and steps, of each pass.
_ADAM7: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _drawn(seed: int = 0) -> Image.Image:
    """A brown spot on noisy skin: small, so that a thousand of them are decoded in a second."""
    rng = np.random.default_rng(seed)
    skin = rng.normal((222, 178, 150), 9, (_HEIGHT, _WIDTH, 3)).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(skin)
    ImageDraw.Draw(image).ellipse((12, 8, 34, 28), fill=(96, 58, 44))
    return image


def _file(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.copy().save(buffer, file_format, **options)  # a copy: writers leave settings on it that trip others up
    return buffer.getvalue()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    exif[0x010E] = "a description"
    exif.get_ifd(0x8769)[0x9003] = "2026:01:02 03:04:05"
    exif.get_ifd(0x8825)[2] = (TiffImagePlugin.IFDRational(47), TiffImagePlugin.IFDRational(3))
    return exif


def _grey16() -> Image.Image:
    return Image.fromarray((np.arange(_WIDTH * _HEIGHT, dtype=np.uint16) * 37).reshape(_HEIGHT, _WIDTH))


def _interlaced_png() -> bytes:
    # Pillow reads Adam7 and writes none: the seven passes of the PNG specification, section 8.2.
    pixels = np.asarray(_drawn())
    rows = b""
    for x0, y0, dx, dy in _ADAM7:
        for row in pixels[y0::dy, x0::dx]:
            rows += b"\0" + row.tobytes()

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = _WIDTH.to_bytes(4, "big") + _HEIGHT.to_bytes(4, "big") + bytes((8, 2, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@cache
def drawn_seeds() -> dict[str, bytes]:
    """Return files of every accepted format and most of its kinds, by a name such as `jpeg-progressive`."""
    image = _drawn()
    alpha = image.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(image.size))
    palette = image.quantize(16)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    frames: dict[str, Any] = {"save_all": True, "append_images": [_drawn(1)], "duration": 40}
    tiff: dict[str, dict[str, Any]] = {
        "raw": {},
        "big-endian": {"big_endian": True},
        "exif": {"exif": _exif()},
        "packbits": {"compression": "packbits"},
        "lzw": {"compression": "tiff_lzw"},
        "lzw-predicted": {"compression": "tiff_lzw", "tiffinfo": {317: 2}},
        "deflate": {"compression": "tiff_adobe_deflate"},
        "deflate-strips": {"compression": "tiff_adobe_deflate", "strip_size": 300},
        "jpeg": {"compression": "jpeg"},
        "group4": {"compression": "group4"},
    }
    seeds = {
        "jpeg": _file(image, "JPEG", quality=80),
        "jpeg-progressive": _file(image, "JPEG", progressive=True),
        "jpeg-cmyk": _file(image.convert("CMYK"), "JPEG"),
        "jpeg-grey": _file(image.convert("L"), "JPEG"),
        "jpeg-exif": _file(image, "JPEG", exif=_exif(), comment=b"a comment", dpi=(300, 300)),
        "jpeg-profile": _file(image, "JPEG", icc_profile=profile),
        "jpeg-restarts": _file(image, "JPEG", restart_marker_blocks=2, subsampling=0),
        "jpeg-optimised-420": _file(image, "JPEG", optimize=True, subsampling=2, quality=30),
        "jpeg-mpo": _file(image, "MPO", save_all=True, append_images=[_drawn(1)]),
        "png": _file(image, "PNG"),
        "png-1": _file(image.convert("1"), "PNG"),
        "png-grey": _file(image.convert("L"), "PNG"),
        "png-grey-alpha": _file(alpha.convert("LA"), "PNG"),
        "png-16": _file(_grey16(), "PNG"),
        "png-palette": _file(palette, "PNG", transparency=0),
        "png-palette-2": _file(image.quantize(4), "PNG", bits=2),
        "png-alpha": _file(alpha, "PNG", icc_profile=profile, exif=_exif()),
        "png-key": _file(image, "PNG", transparency=(96, 58, 44)),
        "png-interlaced": _interlaced_png(),
        "png-animated": _file(alpha, "PNG", **frames),
        "png-profile": _file(image, "PNG", icc_profile=lab, dpi=(72, 72)),
        "webp": _file(image, "WEBP"),
        "webp-lossless": _file(image, "WEBP", lossless=True),
        "webp-alpha": _file(alpha, "WEBP", quality=60),
        "webp-lossless-alpha": _file(alpha, "WEBP", lossless=True, exact=True),
        "webp-animated": _file(alpha, "WEBP", **frames),
        "webp-metadata": _file(image, "WEBP", exif=_exif(), icc_profile=profile, xmp=b"<x/>"),
        "bmp": _file(image, "BMP"),
        "bmp-1": _file(image.convert("1"), "BMP"),
        "bmp-palette": _file(palette, "BMP"),
        "bmp-alpha": _file(alpha, "BMP"),
        "tiff-1": _file(image.convert("1"), "TIFF"),
        "tiff-grey": _file(image.convert("L"), "TIFF", compression="tiff_lzw"),
        "tiff-16": _file(_grey16(), "TIFF", compression="tiff_adobe_deflate"),
        "tiff-palette": _file(palette, "TIFF", compression="packbits"),
        "tiff-alpha": _file(alpha, "TIFF", compression="tiff_lzw"),
        "tiff-cmyk": _file(image.convert("CMYK"), "TIFF"),
        "tiff-ycbcr": _file(image.convert("YCbCr"), "TIFF"),
        "tiff-float": _file(Image.new("F", image.size, 0.5), "TIFF"),
        "tiff-pages": _file(image, "TIFF", save_all=True, append_images=[_drawn(1)]),
        "tiff-profile": _file(image, "TIFF", icc_profile=profile),
    }
    for kind, options in tiff.items():
        seeds[f"tiff-{kind}"] = _file(image.convert("1") if kind == "group4" else image, "TIFF", **options)
    return seeds


@cache
def real_seeds() -> dict[str, bytes]:
    """Return small JPEG files of real photos by their names; none where the folder of real photos is missing."""
    return dict(_read_real()) if REAL_FOLDER.is_dir() else {}


def _read_real() -> Iterator[tuple[str, bytes]]:
    for archive in sorted(REAL_FOLDER.glob("*_*.tar")):
        with tarfile.open(archive) as tar:
            photos = (member for member in tar if member.name.endswith(".jpg"))
            for member, _ in zip(photos, range(_REAL_COUNT), strict=False):
                file = tar.extractfile(member)
                if file is None:
                    continue
                with Image.open(file) as image:
                    image.thumbnail((_REAL_SIDE, _REAL_SIDE))
                    yield f"real-{Path(member.name).stem}", _file(image, "JPEG", quality=85)
