"""Damages files: anywhere, and where their format says that it hurts."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from typing import Final, NamedTuple

from fuzz.seeds import drawn_seeds, real_seeds
from fuzz.skeleton import Number, Skeleton, find_skeleton

__all__ = ["MUTATIONS", "Case", "damage", "make_case"]

_MOST_BYTES: Final = 400_000  # what repeated parts may grow a file to
# Where readers err: around the powers of two, and at the bounds that this service sets.
_INTERESTING: Final = sorted(
    {0, 3, 100, 500, 1000, 10_000, 50_000, 100_000}
    | {2**n + d for n in (0, 1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 24, 31, 32) for d in (-1, 0)}
)


class Case(NamedTuple):
    """One damaged file.

    Attributes:
        number: Which one; the same number makes the same file.
        name: What it was made of and how, such as `png-16: set_number, cut`.
        data: Its bytes.
    """

    number: int
    name: str
    data: bytes


def make_case(number: int) -> Case:
    """Make a damaged picture file.

    Args:
        number: Which one, from 0.

    Returns:
        Every fourth is made from a real photo, where those are there.
    """
    rng = random.Random(f"picture {number}")
    drawn, real = drawn_seeds(), real_seeds()
    pool = real if real and number % 4 == 3 else drawn
    name = rng.choice(sorted(pool))
    other = drawn[_alike(rng, name, sorted(drawn))]
    data, how = damage(rng, pool[name], other)
    return Case(number, f"{name}: {', '.join(how)}", data)


def _alike(rng: random.Random, name: str, names: list[str]) -> str:
    """The name of another file, mostly of the same format: parts of one fit into the other."""
    kind = "jpeg" if name.startswith("real") else name.partition("-")[0]
    same = [other for other in names if other.startswith(kind)]
    return rng.choice(same if rng.random() < 0.8 else names)


def damage(rng: random.Random, data: bytes, other: bytes) -> tuple[bytes, list[str]]:
    """Damage a file once or a few times.

    Args:
        rng: Where all choices come from.
        data: The file.
        other: Another one, from which parts are taken.

    Returns:
        The damaged file, and the names of what was done.
    """
    how = []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4, 6))):
        mutation = rng.choices(MUTATIONS, _WEIGHTS)[0]
        data = mutation(rng, data, other)[:_MOST_BYTES]
        how.append(mutation.__name__.strip("_"))
    if data.startswith(b"\x89PNG") and rng.random() < 0.7:
        data = _sealed(data)  # or the reader would go no further than the first wrong checksum
        how.append("sealed")
    return data, how


def _place(rng: random.Random, data: bytes) -> int:
    """A position, in the first 200 bytes as often as anywhere: headers are short and matter most."""
    return rng.randrange(min(len(data), 200) if rng.random() < 0.5 else len(data)) if data else 0


def _span(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = _place(rng, data)
    return start, min(len(data), start + int(2 ** rng.uniform(0, 10)))


def _some_number(rng: random.Random, skeleton: Skeleton, data: bytes, *, side: bool = False) -> Number:
    found = skeleton.sides if side else skeleton.numbers
    return (
        rng.choice(found) if found else Number(_place(rng, data), rng.choice((1, 2, 4)), rng.choice(("big", "little")))
    )


def _write(data: bytes, number: Number, value: int) -> bytes:
    written = (value % 256**number.size).to_bytes(number.size, number.order)
    return data[: number.at] + written + data[number.at + number.size :]


def _flip_bits(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8) if data else 0):
        changed[_place(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _set_bytes(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 16) if data else 0):
        changed[_place(rng, data)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(changed)


def _set_number(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    number = _some_number(rng, find_skeleton(data), data)
    now = int.from_bytes(data[number.at : number.at + number.size], number.order)
    value = rng.choice((rng.choice(_INTERESTING), now + rng.choice((-2, -1, 1, 2)), rng.randrange(256**number.size)))
    return _write(data, number, value)


def _set_side(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    number = _some_number(rng, find_skeleton(data), data, side=True)
    return _write(data, number, rng.choice((0, 1, 999, 1000, 20_000, 2**16 - 1, 2**24 - 1, 2**31 - 1, 2**32 - 1)))


def _drop_piece(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    pieces = find_skeleton(data).pieces
    if not pieces:
        return _cut(rng, data, _other)
    piece = rng.choice(pieces)
    return data[: piece.start] + data[piece.end :]


def _repeat_piece(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    pieces = find_skeleton(data).pieces
    start, end = rng.choice(pieces) if pieces else _span(rng, data)
    if start == end:
        return data
    times = min(rng.choice((1, 1, 2, 10, 300)), _MOST_BYTES // (end - start) + 1)
    return data[:end] + data[start:end] * times + data[end:]


def _swap_pieces(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    pieces = find_skeleton(data).pieces
    if len(pieces) < 2:
        return _flip_bits(rng, data, _other)
    first, second = sorted(rng.sample(pieces, 2))
    return (
        data[: first.start]
        + data[second.start : second.end]
        + data[first.end : second.start]
        + data[first.start : first.end]
        + data[second.end :]
    )


def _take_piece(rng: random.Random, data: bytes, other: bytes) -> bytes:
    theirs, ours = find_skeleton(other).pieces, find_skeleton(data).pieces
    start, end = rng.choice(theirs) if theirs else _span(rng, other)
    at = rng.choice(ours).start if ours else _place(rng, data)
    return data[:at] + other[start:end] + data[at:]


def _truncate(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _cut(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:start] + data[end:]


def _insert(rng: random.Random, data: bytes, _other: bytes) -> bytes:
    at, length = _place(rng, data), int(2 ** rng.uniform(0, 12))
    return data[:at] + rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length))) + data[at:]


def _splice(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def _take_header(rng: random.Random, data: bytes, other: bytes) -> bytes:
    length = rng.choice((2, 4, 8, 12, 16, 26, 30, 54, 64, 200))
    return other[:length] + data[length:]


def _repack(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Damage what a PNG chunk or a TIFF strip has compressed, and compress it again."""
    starts = [
        at for at in range(len(data) - 2) if data[at] == 0x78 and data[at : at + 2] in (b"x\x9c", b"x\xda", b"x^")
    ]
    for start in rng.sample(starts, len(starts)):
        inflater = zlib.decompressobj()
        try:
            plain = inflater.decompress(data[start:], _MOST_BYTES)
        except zlib.error:
            continue
        mutation = rng.choice((_flip_bits, _set_bytes, _truncate, _insert, _cut))
        packed = zlib.compress(mutation(rng, plain, other))
        end = len(data) - len(inflater.unused_data)
        before = bytearray(data[:start])
        if data.startswith(b"\x89PNG"):  # the chunk's length, so that the reader takes all of it
            before[start - 8 : start - 4] = len(packed).to_bytes(4, "big")
        return bytes(before) + packed + data[end:]
    return _flip_bits(rng, data, other)


def _sealed(data: bytes) -> bytes:
    """Return a PNG with right checksums."""
    sealed = bytearray(data)
    for start, end in find_skeleton(data).pieces:
        if end - start >= 12:
            sealed[end - 4 : end] = zlib.crc32(sealed[start + 4 : end - 4]).to_bytes(4, "big")
    return bytes(sealed)


Mutation = Callable[[random.Random, bytes, bytes], bytes]
_WEIGHTED: Final[dict[Mutation, int]] = {
    _flip_bits: 3,
    _set_bytes: 3,
    _set_number: 6,
    _set_side: 2,
    _drop_piece: 2,
    _repeat_piece: 2,
    _swap_pieces: 1,
    _take_piece: 2,
    _truncate: 1,
    _cut: 2,
    _insert: 2,
    _splice: 1,
    _take_header: 1,
    _repack: 2,
}
MUTATIONS: Final[tuple[Mutation, ...]] = tuple(_WEIGHTED)
"""What can be done to a file: functions of a random generator, the file and another file."""
_WEIGHTS: Final = tuple(_WEIGHTED.values())
