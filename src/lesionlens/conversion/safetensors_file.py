"""Safetensors files: the length of a header (8 bytes), the header (JSON), and the values one after the other.

The format (https://github.com/huggingface/safetensors#format) leaves no room for code, and a reader is a page; it
therefore takes no package.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from lesionlens.conversion.tensors import ITEM_SIZES, StoredTensor, UnusableTensor, element_count, row_major

__all__ = ["open_safetensors"]

_MAX_HEADER: Final = 4 * 1024 * 1024
_DTYPES: Final = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


@contextmanager
def open_safetensors(path: Path) -> Iterator[object]:
    """Read what a safetensors file holds, but for the values of its tensors.

    Args:
        path: The file.

    Yields:
        A dictionary of `StoredTensor`, which can be read while the context is open, and of `UnusableTensor` for element
        types that are no weights.

    Raises:
        ValueError: It is damaged; KeyError, TypeError and RecursionError mean the same.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", _exactly(file, 8))
        if length > _MAX_HEADER:
            raise ValueError(f"its header would take {length} bytes; at most {_MAX_HEADER} are accepted")
        header = json.loads(_exactly(file, length))
        if not isinstance(header, dict):
            raise ValueError("its header is no dictionary")
        header.pop("__metadata__", None)
        start, size = 8 + length, path.stat().st_size
        spans = sorted(tuple(entry["data_offsets"]) for entry in header.values())
        # As the format demands: every byte belongs to one tensor, so that the file is no larger than it says.
        ends = [0, *(end for _, end in spans)]
        if any(type(n) is not int for span in spans for n in span) or [begin for begin, _ in spans] != ends[:-1]:
            raise ValueError("its tensors leave gaps or lie over each other")
        if start + ends[-1] != size:
            raise ValueError(f"it has {size} bytes instead of {start + ends[-1]}")
        yield {name: _tensor(file, start, entry) for name, entry in header.items()}


def _tensor(file: BinaryIO, start: int, entry: dict[str, Any]) -> StoredTensor | UnusableTensor:
    shape, (begin, end) = tuple(entry["shape"]), entry["data_offsets"]
    dtype = _DTYPES.get(entry["dtype"])
    if dtype is None:
        return UnusableTensor(f"has the element type {entry['dtype']}; accepted are dense real tensors")
    count = element_count(shape)
    if end - begin != count * ITEM_SIZES[dtype]:
        raise ValueError("a tensor has another number of bytes than its shape says")
    read = functools.partial(_span, file, start + begin, end - begin)
    return StoredTensor(dtype, shape, row_major(shape), 0, count, read)


def _span(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return _exactly(file, length)


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) != length:
        raise ValueError("it is cut off")
    return data
