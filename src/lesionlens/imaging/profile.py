"""A check of embedded colour profiles, made before Little CMS reads them.

Little CMS takes memory for as many entries as a profile claims before it looks whether they are there: 588 bytes can
cost it 512 MB. Each check here holds what is claimed against the bytes that there are.
"""

from __future__ import annotations

import math
import struct
from typing import Final

__all__ = ["is_sound"]

_HEADER_BYTES: Final = 128
_MAX_TAGS: Final = 100  # the bound of Little CMS
_TAG_BYTES: Final = 12


def is_sound(profile: bytes) -> bool:
    """Say whether a profile's tables, curves and texts are as long as they claim to be.

    Args:
        profile: A whole ICC profile (ICC.1:2022) of version 2 or 4.

    Returns:
        False too for elements that no usual profile of a photo has (`mpet`), which are not looked into.
    """
    try:
        (count,) = struct.unpack_from(">L", profile, _HEADER_BYTES)
        if count > _MAX_TAGS:
            return False
        for i in range(count):
            _, offset, size = struct.unpack_from(">4sLL", profile, _HEADER_BYTES + 4 + _TAG_BYTES * i)
            element = profile[offset : offset + size]
            if len(element) < size or _bytes_needed(element) > size:
                return False
    except (struct.error, ValueError):  # shorter than the part that says how long the rest is
        return False
    return True


def _bytes_needed(element: bytes) -> float:
    """Return how many bytes an element claims to have, by its type; 0 for types without such claims."""
    match element[:4]:
        case b"curv":
            return _curve_bytes(element, 0)
        case b"mluc":
            return 16 + _long(element, 8) * max(_long(element, 12), 12)
        case b"desc":
            return 12 + _long(element, 8)
        case b"mft1":
            inputs, outputs, grid = element[8:11]
            return 48 + 256 * inputs + _entries(grid, inputs) * outputs + 256 * outputs
        case b"mft2":
            inputs, outputs, grid = element[8:11]
            entries_in, entries_out = divmod(_long(element, 48), 2**16)  # two numbers of two bytes
            return 52 + 2 * (entries_in * inputs + _entries(grid, inputs) * outputs + entries_out * outputs)
        case b"mAB " | b"mBA ":
            return _pipeline_bytes(element)
        case b"mpet":
            return math.inf
    return 0


def _pipeline_bytes(element: bytes) -> float:
    """Of `lutAToBType` and `lutBToAType` (sections 10.12 and 10.13)."""
    inputs, outputs = struct.unpack_from(">BB", element, 8)
    curves_b, _, curves_m, table, curves_a = struct.unpack_from(">5L", element, 12)
    needed = 32.0
    # How many curves there are depends on the direction; the larger number is never too low.
    for start in filter(None, (curves_b, curves_m, curves_a)):
        position = start
        for _ in range(max(inputs, outputs)):
            if element[position : position + 4] != b"curv":  # parametric curves have at most seven parameters
                break
            end = _curve_bytes(element, position)
            needed, position = max(needed, end), end + -end % 4
    if table:
        grid, (precision,) = element[table : table + inputs], struct.unpack_from(">B", element, table + 16)
        needed = max(needed, table + 20 + math.prod(grid) * outputs * precision)
    return needed


def _entries(grid: int, inputs: int) -> int:
    return int(grid**inputs)  # to mypy a power may be a float


def _curve_bytes(element: bytes, start: int) -> int:
    return start + 12 + 2 * _long(element, start + 8)


def _long(element: bytes, at: int) -> int:
    (value,) = struct.unpack_from(">L", element, at)
    return int(value)
