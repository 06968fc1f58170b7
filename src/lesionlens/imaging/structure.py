"""Checks of a file's skeleton, made before Pillow reads it.

Pillow's readers keep every piece of metadata and trust the counts in a header, so a small hostile file can cost them
minutes or gigabytes before the picture's size is known. Each check here walks the skeleton alone, in time bounded by
the counts it allows, which lie far above those of real files.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np

from lesionlens.errors import CorruptImageError, UnsupportedImageError
from lesionlens.imaging.limits import Limits

__all__ = ["check_structure"]

_MAX_JPEG_SEGMENTS: Final = 500  # before the first scan; an ICC profile takes 255 at most
_MAX_JPEG_SCANS: Final = 100  # libtiff's bound for JPEG data; usual progressive files have 10
_MAX_JPEG_JUNK: Final = 65_536  # bytes between segments
_MAX_PNG_CHUNKS: Final = 50_000
_MAX_TIFF_PIECES: Final = 100_000  # strips or tiles

_JPEG_MARKER: Final = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)
_SOS: Final = 0xDA
_EOI: Final = 0xD9
_JPEG_BARE: Final = frozenset({0x01, 0xC8, 0xD8, *range(0xF0, 0xFE)})  # markers without a length, as Pillow reads them

_TIFF_INTEGERS: Final = {1: "B", 3: "H", 4: "L"}
_TILE_SIDES: Final = (322, 323)
_PIECE_OFFSETS: Final = (273, 324)


def check_structure(data: bytes, format_name: str, limits: Limits) -> None:
    """Refuse a file whose skeleton is made to exhaust the reader.

    Args:
        data: The whole file.
        format_name: Pillow's name of its format, as `sniff` found it.
        limits: Bounds; the canvas of a WebP and the tiles of a TIFF are held to its pixels.

    Raises:
        CorruptImageError: More metadata segments, scans, chunks or strips than any real picture has, or too few bytes.
        TooManyPixelsError: A WebP canvas or a TIFF tile has more pixels than `limits` allows.
        UnsupportedImageError: The WebP file is of an unknown kind.
    """
    match format_name:
        case "JPEG":
            _check_jpeg(data)
        case "PNG":
            _check_png(data)
        case "WEBP":
            limits.check_pixels(*_webp_size(data))
        case "TIFF":
            _check_tiff(data, limits)


def _jpeg_markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield each marker's code and the number of stray bytes before it, up to the end of the first picture."""
    position = 2
    while found := _JPEG_MARKER.search(data, position):
        code = found[1][0]
        yield code, found.start() - position
        position = found.end()
        if code == _EOI:
            return
        if code not in _JPEG_BARE:
            position += max(2, int.from_bytes(data[position : position + 2], "big"))


def _check_jpeg(data: bytes) -> None:
    junk = 0
    for code, stray in islice(_jpeg_markers(data), _MAX_JPEG_SEGMENTS):
        junk += stray
        if code in (_SOS, _EOI) or junk > _MAX_JPEG_JUNK:
            break
    else:
        code = _EOI
    if code != _SOS:
        raise CorruptImageError("the JPEG file is damaged: no picture data was found after its header")
    # Counting the two bytes anywhere is quick and never too low; only then is it worth telling scans from other data.
    if _pairs(data, 0xFF, _SOS) > _MAX_JPEG_SCANS and sum(c == _SOS for c, _ in _jpeg_markers(data)) > _MAX_JPEG_SCANS:
        raise CorruptImageError(f"the JPEG file is damaged: it has more than {_MAX_JPEG_SCANS} scans")


def _pairs(data: bytes, first: int, second: int) -> int:
    """Return how often two bytes follow each other: as `bytes.count`, in a fifth of the time where 0xFF abounds."""
    values = np.frombuffer(data, dtype=np.uint8)
    return int(np.count_nonzero((values[:-1] == first) & (values[1:] == second)))


def _check_png(data: bytes) -> None:
    position = 8
    for _ in range(_MAX_PNG_CHUNKS):
        position += 12 + int.from_bytes(data[position : position + 4], "big")
        if position >= len(data):
            return
    raise CorruptImageError(f"the PNG file is damaged: it has more than {_MAX_PNG_CHUNKS:,} chunks")


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return the canvas's width and height in pixels (RFC 9649): libwebp takes memory for it when it is opened."""
    if len(data) < 30:
        raise CorruptImageError("the WebP file is cut short: its header is missing")
    match data[12:16]:
        case b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    raise UnsupportedImageError("the WebP file is of an unknown kind; accepted: lossy, lossless and extended WebP")


def _check_tiff(data: bytes, limits: Limits) -> None:
    order = "<" if data[:2] == b"II" else ">"
    tile: dict[int, int] = {}
    try:
        (start,) = struct.unpack_from(f"{order}L", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for i in range(count):
            tag, kind, values = struct.unpack_from(f"{order}HHL", data, start + 2 + 12 * i)
            if tag in _PIECE_OFFSETS and values > _MAX_TIFF_PIECES:
                raise CorruptImageError(f"the TIFF file has more than {_MAX_TIFF_PIECES:,} strips or tiles")
            if tag in _TILE_SIDES and kind in _TIFF_INTEGERS:
                (side,) = struct.unpack_from(order + _TIFF_INTEGERS[kind], data, start + 2 + 12 * i + 8)
                tile[tag] = max(side, tile.get(tag, 1))
    except struct.error as error:
        raise CorruptImageError("the TIFF file is cut short: its directory is incomplete") from error
    limits.check_pixels(tile.get(_TILE_SIDES[0], 1), tile.get(_TILE_SIDES[1], 1))
