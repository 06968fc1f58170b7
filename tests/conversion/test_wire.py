"""Values put into the tensors of an ONNX model, as ONNX Runtime sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

from lesionlens.conversion.wire import empty_tensors, with_values


def field(number: int, payload: bytes | int) -> bytes:
    """Encode a field; all lengths and numbers here are below 128."""
    if isinstance(payload, int):
        return bytes([number << 3, payload])
    return bytes([number << 3 | 2, len(payload)]) + payload


def value_info(name: bytes, *shape: int) -> bytes:
    dims = b"".join(field(1, field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def initializer(name: bytes, size: int, kind: int = 1, values: bytes | None = None) -> bytes:
    raw = b"" if values is None else field(9, values)
    return field(5, field(1, size) + field(2, kind) + field(8, name) + raw)


def add(a: bytes, b: bytes, to: bytes) -> bytes:
    return field(1, field(1, a) + field(1, b) + field(2, to) + field(4, b"Add"))


ONES = np.ones(2, "<f4").tobytes()
GRAPH = (
    add(b"x", b"w", b"s")
    + add(b"s", b"ones", b"y")
    + field(2, b"g")
    + initializer(b"w", 2)
    + initializer(b"ones", 2, values=ONES)
    + field(11, value_info(b"x", 2))
    + field(12, value_info(b"y", 2))
)


def model(graph: bytes = GRAPH) -> bytes:
    length = bytes([len(graph)] if len(graph) < 128 else [len(graph) & 0x7F | 0x80, len(graph) >> 7])
    return field(1, 8) + field(8, field(1, b"") + field(2, 18)) + bytes([7 << 3 | 2]) + length + graph


def session(data: bytes) -> Any:
    return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])


def test_values_come_where_there_were_none() -> None:
    [empty] = empty_tensors(model())
    assert empty == ("w", (2,))
    filled = with_values(model(), lambda tensor: np.array([3, 5], "<f4").tobytes())
    assert empty_tensors(filled) == []
    [y] = session(filled).run(["y"], {"x": np.array([10, 20], np.float32)})
    np.testing.assert_array_equal(y, [14, 26])
    assert with_values(filled, lambda tensor: pytest.fail(f"asked for {tensor}")) == filled


def test_other_kinds_of_tensors_stay_as_they_are() -> None:
    integers = model(initializer(b"n", 2, kind=7))
    assert empty_tensors(integers) == []
    assert with_values(integers, lambda tensor: b"") == integers


def test_long_values_have_long_lengths() -> None:
    graph = field(5, bytes([1 << 3, 0xAC, 0x02]) + field(2, 1) + field(8, b"w"))  # 300 elements
    assert empty_tensors(model(graph)) == [("w", (300,))]
    values = np.arange(300, dtype="<f4").tobytes()
    filled = with_values(model(graph), lambda tensor: values)
    assert values in filled
    added = 3 + 2  # number and length of the values; one more byte in the lengths of the tensor and of the graph
    assert len(filled) == len(model(graph)) + len(values) + added


def test_values_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="w takes 8 bytes, not 4"):
        with_values(model(), lambda tensor: bytes(4))


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (model()[:-1], "cut off"),
        (model()[:3], "cut off"),
        (b"\xff" * 12, "cut off"),
        (bytes([1 << 3 | 3]), "unknown kind 3"),
    ],
)
def test_a_model_that_is_none_says_so(damaged: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        empty_tensors(damaged)


def test_fields_of_fixed_length_are_passed_over() -> None:
    fixed = bytes([20 << 3 | 1]) + bytes(8) + bytes([21 << 3 | 5]) + bytes(4)
    assert empty_tensors(model() + fixed) == empty_tensors(model())
    assert with_values(model() + fixed, lambda tensor: ONES).endswith(fixed)
