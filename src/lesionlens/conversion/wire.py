"""The encoding of ONNX files (protocol buffers), as far as putting values into the tensors of a graph needs it.

An ONNX file is a message of fields, each with a number, a kind and a payload; a graph is such a payload and so are its
tensors. Giving a tensor its values is appending a field to its payload and writing new lengths before it and what it
lies in: a page, where the `onnx` package would add a seventh to the serving install.
Encoding: https://protobuf.dev/programming-guides/encoding; field numbers: onnx.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

__all__ = ["EmptyTensor", "empty_tensors", "with_values"]

_MODEL_GRAPH: Final = 7
_GRAPH_INITIALIZER: Final = 5
_TENSOR_DIMS: Final = 1
_TENSOR_DATA_TYPE: Final = 2
_TENSOR_NAME: Final = 8
_TENSOR_RAW_DATA: Final = 9
_FLOAT: Final = 1

_VARINT, _BYTES = 0, 2
_FIXED: Final = {1: 8, 5: 4}

Chunks = list[bytes | memoryview]


class EmptyTensor(NamedTuple):
    """A float32 tensor of a graph whose values are left out.

    Attributes:
        name: Its name in the graph.
        shape: Its sizes.
    """

    name: str
    shape: tuple[int, ...]


class _Field(NamedTuple):
    number: int
    whole: memoryview  # with its number and length
    payload: memoryview
    value: int  # of a varint


def empty_tensors(model: bytes) -> list[EmptyTensor]:
    """Return the float32 initialisers of a model that have no values, in the order of the file.

    Args:
        model: A serialised ONNX model.

    Raises:
        ValueError: It is cut off or no such thing.
    """
    return [
        tensor
        for part in _fields(memoryview(model))
        if part.number == _MODEL_GRAPH
        for field in _fields(part.payload)
        if field.number == _GRAPH_INITIALIZER and (tensor := _empty(field.payload)) is not None
    ]


def with_values(model: bytes, values: Callable[[EmptyTensor], bytes]) -> bytes:
    """Return a model with the values of its empty tensors put in; all other bytes stay as they are.

    Args:
        model: A serialised ONNX model.
        values: Returns the values of a tensor: little-endian float32, row-major.

    Raises:
        ValueError: The model is cut off or no such thing, or values have another size than their tensor.
    """
    chunks: Chunks = []
    for part in _fields(memoryview(model)):
        chunks += _message(_MODEL_GRAPH, _graph(part.payload, values)) if part.number == _MODEL_GRAPH else [part.whole]
    return b"".join(chunks)


def _graph(graph: memoryview, values: Callable[[EmptyTensor], bytes]) -> Chunks:
    chunks: Chunks = []
    for field in _fields(graph):
        tensor = _empty(field.payload) if field.number == _GRAPH_INITIALIZER else None
        if tensor is None:
            chunks.append(field.whole)
            continue
        data = values(tensor)
        if len(data) != 4 * _count(tensor.shape):
            raise ValueError(f"{tensor.name} takes {4 * _count(tensor.shape)} bytes, not {len(data)}")
        chunks += _message(_GRAPH_INITIALIZER, [field.payload, *_message(_TENSOR_RAW_DATA, [data])])
    return chunks


def _empty(tensor: memoryview) -> EmptyTensor | None:
    shape: list[int] = []
    name, kind = "", 0
    for field in _fields(tensor):
        if field.number == _TENSOR_DIMS:
            shape.append(field.value)
        elif field.number == _TENSOR_DATA_TYPE:
            kind = field.value
        elif field.number == _TENSOR_NAME:
            name = bytes(field.payload).decode()
        else:
            return None  # it has values, or keeps them elsewhere
    return EmptyTensor(name, tuple(shape)) if kind == _FLOAT else None


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _fields(message: memoryview) -> Iterator[_Field]:
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        kind, value, begin = key & 7, 0, at
        if kind == _VARINT:
            value, at = _read_varint(message, at)
        elif kind == _BYTES:
            length, begin = _read_varint(message, at)
            at = begin + length
        elif kind in _FIXED:
            at += _FIXED[kind]
        else:
            raise ValueError(f"a field has the unknown kind {kind}")
        if at > len(message):
            raise ValueError("the message is cut off")
        yield _Field(key >> 3, message[start:at], message[begin:at], value)


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for i, byte in enumerate(message[at : at + 10]):
        number |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return number, at + i + 1
    raise ValueError("the message is cut off")


def _message(number: int, chunks: Chunks) -> Chunks:
    return [_varint(number << 3 | _BYTES) + _varint(sum(map(len, chunks))), *chunks]


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
