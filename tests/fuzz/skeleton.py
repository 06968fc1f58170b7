"""Where the parts of a picture file lie, and the numbers that a reader believes.

The walkers take broken files too: they stop where nothing makes sense any more, and never fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, Literal, NamedTuple

__all__ = ["Number", "Piece", "Skeleton", "find_skeleton"]

Order = Literal["big", "little"]
_MOST: Final = 200  # parts and numbers of a file that are looked at


class Piece(NamedTuple):
    """A segment, chunk or directory entry: bytes `start` up to `end`."""

    start: int
    end: int


class Number(NamedTuple):
    """An integer in the file: a length, a side in pixels, a count, an offset or a kind."""

    at: int
    size: int
    order: Order


class Skeleton(NamedTuple):
    """The parts of a file.

    Attributes:
        pieces: Its parts, in order.
        numbers: Its lengths, sides, counts and kinds.
        sides: Those of the numbers that are a width or a height in pixels.
    """

    pieces: tuple[Piece, ...]
    numbers: tuple[Number, ...]
    sides: tuple[Number, ...]


Part = tuple[Piece | None, list[Number], list[Number]]


def find_skeleton(data: bytes) -> Skeleton:
    """Find the parts of a file, told by its first bytes; none for anything but the accepted formats."""
    walk = next((walker for start, walker in _WALKERS if data.startswith(start)), None)
    parts = [] if walk is None else list(islice(walk(data), _MOST))
    return Skeleton(
        tuple(piece for piece, _, _ in parts if piece is not None),
        tuple(number for _, numbers, sides in parts for number in numbers + sides),
        tuple(side for _, _, sides in parts for side in sides),
    )


_JPEG_MARKER: Final = re.compile(rb"\xff([^\x00\xd0-\xd9\xff])", re.DOTALL)
_START_OF_FRAME: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3})


def _jpeg(data: bytes) -> Iterator[Part]:
    """Segments (ITU-T T.81, annex B); the compressed data belong to the scan's header before them."""
    starts = []
    position = 2
    while found := _JPEG_MARKER.search(data, position):
        starts.append(found.start())
        position = found.start() + 2 + max(2, int.from_bytes(data[found.start() + 2 : found.start() + 4], "big"))
    for start, end in zip(starts, [*starts[1:], len(data)], strict=False):
        numbers, sides = [Number(start + 2, 2, "big")], []
        if data[start + 1] in _START_OF_FRAME:
            sides = [Number(start + 5, 2, "big"), Number(start + 7, 2, "big")]
            numbers += [Number(start + 4, 1, "big"), *(Number(start + i, 1, "big") for i in range(9, 19))]
        else:
            numbers += [Number(start + i, 1, "big") for i in range(4, 12)]
        yield Piece(start, end), numbers, sides


def _png(data: bytes) -> Iterator[Part]:
    """Chunks (PNG specification, section 5.3)."""
    position = 8
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind, body = data[position + 4 : position + 8], position + 8
        numbers, sides = [Number(position, 4, "big")], []
        if kind in (b"IHDR", b"fcTL"):
            first = body if kind == b"IHDR" else body + 4
            sides = [Number(first, 4, "big"), Number(first + 4, 4, "big")]
            numbers += [Number(first + i, 1, "big") for i in range(8, 13)]
        elif kind in (b"acTL", b"fdAT", b"pHYs", b"gAMA"):
            numbers += [Number(body, 4, "big"), Number(body + 4, 4, "big")]
        elif kind == b"eXIf":
            numbers += [Number(body + i, 2, "big") for i in range(8, 40, 2)]
        yield Piece(position, min(len(data), position + 12 + length)), numbers, sides
        position += 12 + length


def _webp(data: bytes) -> Iterator[Part]:
    """Chunks (RFC 9649)."""
    yield None, [Number(4, 4, "little")], []
    position = 12
    while position + 8 <= len(data):
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        kind, body = data[position : position + 4], position + 8
        numbers, sides = [Number(position + 4, 4, "little")], []
        if kind == b"VP8X":
            numbers.append(Number(body, 1, "little"))
            sides = [Number(body + 4, 3, "little"), Number(body + 7, 3, "little")]
        elif kind == b"VP8L":
            sides = [Number(body + 1, 4, "little")]
        elif kind == b"VP8 ":
            sides = [Number(body + 6, 2, "little"), Number(body + 8, 2, "little")]
        elif kind == b"ANMF":
            numbers += [Number(body, 3, "little"), Number(body + 3, 3, "little")]
            sides = [Number(body + 6, 3, "little"), Number(body + 9, 3, "little")]
        end = position + 8 + length + length % 2
        yield Piece(position, min(len(data), end)), numbers, sides
        position = end


def _bmp(data: bytes) -> Iterator[Part]:
    """The header; BMP has no further parts."""
    sizes = ((2, 4), (10, 4), (14, 4), (26, 2), (28, 2), (30, 4), (34, 4), (46, 4), (50, 4), (54, 4), (66, 4))
    yield (
        Piece(14, min(len(data), 54)),
        [Number(at, size, "little") for at, size in sizes],
        [Number(18, 4, "little"), Number(22, 4, "little")],
    )


_TIFF_SIDES: Final = frozenset({256, 257, 278, 322, 323})


def _tiff(data: bytes) -> Iterator[Part]:
    """Directory entries (TIFF 6.0, section 2), of every page."""
    order: Order = "little" if data[:2] == b"II" else "big"

    def read(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    pointer, seen = 4, set()
    while (start := read(pointer, 4)) and start not in seen and start + 2 <= len(data):
        seen.add(start)
        yield None, [Number(pointer, 4, order), Number(start, 2, order)], []
        count = read(start, 2)
        for i in range(min(count, _MOST)):
            at = start + 2 + 12 * i
            value = Number(at + 8, 4, order)
            is_side = read(at, 2) in _TIFF_SIDES
            numbers = [Number(at, 2, order), Number(at + 2, 2, order), Number(at + 4, 4, order)]
            yield Piece(at, at + 12), numbers if is_side else [*numbers, value], [value] if is_side else []
        pointer = start + 2 + 12 * count


_WALKERS: Final = (
    (b"\xff\xd8", _jpeg),
    (b"\x89PNG", _png),
    (b"RIFF", _webp),
    (b"BM", _bmp),
    (b"II", _tiff),
    (b"MM", _tiff),
)
