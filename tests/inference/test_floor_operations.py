"""The multiply-adds of a small network, counted by hand and by the benchmark of the floor."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx", reason="needs the quantise extra")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402


@pytest.fixture
def operations(repo_root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(repo_root / "benchmarks"))
    import floor_parts.operations

    yield floor_parts.operations
    for name in [name for name in sys.modules if name.startswith("floor_parts")]:
        del sys.modules[name]


def small() -> onnx.ModelProto:
    """3 × 8 × 8 → 3×3 of stride 2 to 4 channels → depthwise 3×3 → mean → SE 1×1 → product → 1×1 to 6 → linear to 5."""
    import numpy as np

    shapes = {"a": (4, 3, 3, 3), "b": (4, 1, 3, 3), "s": (4, 4, 1, 1), "c": (6, 4, 1, 1), "d": (5, 6)}
    tensors = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in shapes.items()]
    tensors.append(numpy_helper.from_array(np.array([2, 3]), "axes"))
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "a"], ["1"], "dense", strides=[2, 2], pads=[1] * 4),
        node("Conv", ["1", "b"], ["2"], "depthwise", pads=[1] * 4, group=4),
        node("ReduceMean", ["2", "axes"], ["3"], keepdims=1),
        node("Conv", ["3", "s"], ["4"], "excite"),
        node("Mul", ["2", "4"], ["5"]),
        node("Conv", ["5", "c"], ["6"], "pointwise"),
        node("ReduceMean", ["6", "axes"], ["7"], keepdims=0),
        node("Gemm", ["7", "d"], ["y"], "linear", transB=1),
    ]
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 8, 8]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 5]),
    ]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_layers_are_counted_as_by_hand(operations) -> None:
    layers = {layer.name: layer for layer in operations.count(small())}
    assert {name: (layer.kind, layer.macs) for name, layer in layers.items()} == {
        "dense": ("dense", 4 * 4 * 4 * 3 * 9),
        "depthwise": ("depthwise", 4 * 4 * 4 * 9),
        "excite": ("on pooled values", 4 * 4),
        "pointwise": ("pointwise", 6 * 4 * 4 * 4),
        "linear": ("matrix", 5 * 6),
    }
    assert layers["depthwise"].values == 64 + 36 + 64
    assert set(operations.KINDS) == {layer.kind for layer in layers.values()}


def test_the_published_count_of_b5(operations) -> None:
    """Tan & Le 2019, table 2: 9.9 · 10⁹ for EfficientNet-B5 at 456 px (they say FLOPS and mean multiply-adds)."""
    from lesionlens.conversion.template import _template

    total = sum(layer.macs for layer in operations.count(onnx.load_from_string(_template())))
    assert total / 1e9 == pytest.approx(9.9, rel=0.06)


def test_a_layer_is_bound_by_the_slower_of_both(operations) -> None:
    layer = operations.Layer("x", "pointwise", macs=1000, values=100)
    assert operations.seconds_at(layer, 100.0, 1e9) == 10.0
    assert operations.seconds_at(layer, 1e9, 40.0) == 10.0
    assert operations.seconds_at(layer, 1e9, 40.0, width=1) == 2.5


def test_a_graph_without_shapes_is_told(operations) -> None:
    model = small()
    del model.graph.initializer[:]
    with pytest.raises(ValueError, match="the shape of a of Conv dense cannot be told"):
        operations.count(model)
