"""Weights files written without PyTorch, instruction by instruction, so that wrong ones can be written as well.

`read_back` reads them with the package's own reader.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lesionlens.conversion.weights_file import open_weights

Array = npt.NDArray[np.generic]

STORAGES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
}


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def integer(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def sequence(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def name(module: str, member: str) -> bytes:
    return f"c{module}\n{member}\n".encode()


def dictionary(items: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def ordered(items: Mapping[str, bytes]) -> bytes:
    """An ordered dictionary with an attribute, as a module's state dict is."""
    body = b"(" + b"".join(text(key) + value for key, value in items.items()) + b"u"
    return name("collections", "OrderedDict") + b")R" + body + dictionary({"_metadata": b"}"}) + b"b"


def tensor(
    key: str,
    count: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    *,
    offset: int = 0,
    kind: str = "FloatStorage",
) -> bytes:
    storage = sequence(text("storage"), name("torch", kind), text(key), text("cpu"), integer(count)) + b"Q"
    sizes, steps = (sequence(*map(integer, numbers)) for numbers in (shape, strides))
    hooks = name("collections", "OrderedDict") + b")R"
    return (
        name("torch._utils", "_rebuild_tensor_v2")
        + sequence(storage, integer(offset), sizes, steps, b"\x89", hooks)
        + b"R"
    )


def pickled(content: bytes) -> bytes:
    return b"\x80\x02" + content + b"."


def tensors(arrays: Mapping[str, Array]) -> dict[str, bytes]:
    described = {}
    for i, (key, array) in enumerate(arrays.items()):
        strides = tuple(int(np.prod(array.shape[d + 1 :])) for d in range(array.ndim))
        described[key] = tensor(str(i), array.size, array.shape, strides, kind=STORAGES[array.dtype.name])
    return described


def write_archive(path: Path, content: bytes, storages: Mapping[str, bytes], compression: int = 0) -> Path:
    """Write a PyTorch file of a pickle and the bytes of its storages."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/byteorder", b"little")
        for key, data in storages.items():
            archive.writestr(f"archive/data/{key}", data)
        archive.writestr("archive/version", b"3\n")
    return path


def save_pth(path: Path, arrays: Mapping[str, Array]) -> Path:
    """Write a state dict as `torch.save` does."""
    storages = {str(i): array.tobytes() for i, array in enumerate(arrays.values())}
    return write_archive(path, pickled(ordered(tensors(arrays))), storages)


def save_safetensors(path: Path, arrays: Mapping[str, Array], **dtypes: str) -> Path:
    """Write a safetensors file; `dtypes` overrides the element types of single tensors."""
    names = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "uint16": "BF16", "bool": "BOOL"}
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body, end = [], 0
    for key, array in arrays.items():
        start, end = end, end + array.nbytes
        body.append(array.tobytes())
        header[key] = {
            "dtype": dtypes.get(key, names[array.dtype.name]),
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    return write_safetensors(path, json.dumps(header).encode(), b"".join(body))


def write_safetensors(path: Path, header: bytes, body: bytes) -> Path:
    path.write_bytes(struct.pack("<Q", len(header)) + header + body)
    return path


def write_pickle(path: Path, content: bytes, storages: Mapping[str, bytes] | None = None) -> Path:
    """Write a PyTorch file of the instructions of a pickle."""
    return write_archive(path, pickled(content), storages or {})


def read_back(path: Path) -> dict[str, Array]:
    """Read all tensors of a file."""
    with open_weights(path) as weights:
        return {key: weights.floats(key) for key in weights.shapes}
