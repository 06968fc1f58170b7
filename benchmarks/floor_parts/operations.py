"""Counting a graph's multiply-adds, and the bytes that its layers must move, from the shapes in the graph itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import onnx
from onnx import TensorProto, shape_inference

__all__ = ["KINDS", "Layer", "count", "seconds_at"]

KINDS: Final = ("pointwise", "depthwise", "dense", "on pooled values", "matrix")
_BYTES: Final = 4  # of a value in single precision

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that multiplies.

    Attributes:
        name: The node's name.
        kind: `pointwise` (1 × 1 convolution), `depthwise`, `dense` (any other convolution), `on pooled values` (a
            convolution of one position: squeeze and excitation) or `matrix` (the classifier and the class maps).
        macs: Multiply-adds.
        values: Numbers that it reads and writes: its input, its weights and its output, each once. Activations, batch
            norms and sums are taken to be fused into the layer before them.
    """

    name: str
    kind: str
    macs: int
    values: int


def count(model: onnx.ModelProto) -> list[Layer]:
    """Count the layers of a graph for a batch of one.

    A convolution has (numbers of the output) × (input channels of a group) × (size of the kernel) multiply-adds, a
    matrix product (numbers of the output) × (length of the sum). Additions of a bias are not counted.

    Args:
        model: The graph; its weights may be missing, their shapes may not.

    Raises:
        ValueError: The shape of a tensor cannot be told.
    """
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in fixed.graph.input:
        for dimension in value.type.tensor_type.shape.dim:
            if not dimension.HasField("dim_value"):
                dimension.dim_value = 1
    graph = shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True).graph
    shapes: dict[str, Shape] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.type.tensor_type.elem_type != TensorProto.UNDEFINED:
            shapes[value.name] = tuple(d.dim_value or 1 for d in value.type.tensor_type.shape.dim)
    layers = []
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            missing = [name for name in (*node.input[:2], node.output[0]) if name not in shapes]
            if missing:
                raise ValueError(f"the shape of {', '.join(missing)} of {node.op_type} {node.name} cannot be told")
            layers.append(_layer(node, *(shapes[name] for name in (*node.input[:2], node.output[0]))))
    return layers


def _layer(node: onnx.NodeProto, source: Shape, weight: Shape, result: Shape) -> Layer:
    values = math.prod(source) + math.prod(weight) + math.prod(result)
    if node.op_type != "Conv":
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        length = source[0] if transposed else source[-1]
        return Layer(node.name, "matrix", math.prod(result) * length, values)
    return Layer(node.name, _kind(source, weight, result), math.prod(result) * math.prod(weight[1:]), values)


def _kind(source: Shape, weight: Shape, result: Sequence[int]) -> str:
    if math.prod(result[2:]) == 1:
        return "on pooled values"
    if weight[1] == 1 and source[1] == weight[0] > 1:
        return "depthwise"
    return "pointwise" if math.prod(weight[2:]) == 1 else "dense"


def seconds_at(layer: Layer, macs_per_second: float, bytes_per_second: float, width: int = _BYTES) -> float:
    """Return the least time of a layer (the roofline: Williams, Waterman & Patterson 2009).

    Args:
        layer: The layer.
        macs_per_second: What the machine multiplies at most.
        bytes_per_second: What it moves at most.
        width: Bytes of a number: 4, 2 or 1.
    """
    return max(layer.macs / macs_per_second, layer.values * width / bytes_per_second)
