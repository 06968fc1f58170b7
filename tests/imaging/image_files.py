"""Makers of the files that the imaging tests read: good ones with Pillow, hostile ones byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

ORIENTATION = 0x0112


def encode(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """Return a picture as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def with_orientation(image: Image.Image, file_format: str, orientation: int) -> bytes:
    """Return a file whose EXIF carries the orientation."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options: dict[str, Any] = {"quality": 95} if file_format in ("JPEG", "WEBP") else {}
    return encode(image, file_format, exif=exif, **options)


def quadrants(width: int = 64, height: int = 32) -> Image.Image:
    """Return a picture that looks different in each of the eight orientations: red, green, blue, white quarters."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("red", (0, 0, width // 2, height // 2))
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    return image


def noise(width: int = 200, height: int = 150) -> Image.Image:
    """Return a picture that no format compresses to almost nothing."""
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return a PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, extra: bytes = b"", pixels: bytes | None = None, bits: int = 8) -> bytes:
    """Return a PNG of RGB pixels, black by default, with extra chunks before the pixels."""
    if pixels is None:
        pixels = zlib.compress(bytes(height * (1 + width * 3 * bits // 8)))
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    )


def tiff(tags: dict[int, tuple[int, int, int]], data: bytes) -> bytes:
    """Return a little-endian TIFF of 4 × 4 grey pixels; a tag is `(type, count, value)`, as it stands in the file.

    Strip and tile offsets (tags 273, 324) of value 0 are pointed at `data`.
    """
    entries = {
        256: (4, 1, 4),  # width
        257: (4, 1, 4),  # height
        258: (3, 1, 8),  # bits per sample
        259: (3, 1, 1),  # compression: none
        262: (3, 1, 1),  # black is zero
        277: (3, 1, 1),  # samples per pixel
    } | tags
    start = 8 + 2 + 12 * len(entries) + 4
    body = b"II*\x00" + struct.pack("<LH", 8, len(entries))
    for tag, (kind, count, value) in sorted(entries.items()):
        body += struct.pack("<HHLL", tag, kind, count, start if tag in (273, 324) and value == 0 else value)
    return body + bytes(4) + data
