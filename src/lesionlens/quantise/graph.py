"""The graph before it is quantised: folded, and divided into parts that may stay in floating point."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import onnx
import onnxruntime as ort

from lesionlens.errors import QuantisationError

__all__ = ["FloatGraph", "fold"]

_BLOCK: Final = re.compile(r"blocks\.\d+\.\d+")
_STEM: Final = "stem"
_INTEGER_NODES: Final = frozenset({"QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger"})


@dataclass(frozen=True)
class FloatGraph:
    """A graph in single precision that can be quantised.

    Attributes:
        model: Weights in float32, each batch norm but the last folded into its convolution.
        tail: Names of the nodes that always stay in floating point: the last convolution and all that follows it, so
            that the maps remain the exact Grad-CAM of the network that was quantised.
        parts: Names of the other nodes by the part that they belong to (`stem`, `blocks.0.0`, …), in order.
    """

    model: onnx.ModelProto
    tail: tuple[str, ...]
    parts: dict[str, tuple[str, ...]]

    def nodes_outside(self, parts: Collection[str]) -> list[str]:
        """Return the nodes to leave alone when only these parts are quantised."""
        return [*self.tail, *(node for name, nodes in self.parts.items() if name not in parts for node in nodes)]


def fold(graph: Path) -> FloatGraph:
    """Read a bundle's graph as it is before it is quantised.

    ONNX Runtime folds it (its basic optimisations, whose result is plain ONNX): weights that are stored in half
    precision are widened, and batch norms become part of their convolutions.

    Args:
        graph: Path of the ONNX graph.

    Raises:
        QuantisationError: It is quantised already, or has no two convolutions.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        options.log_severity_level = 3
        ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        model = onnx.load(Path(folder) / "folded.onnx")
    _keep_used_operator_sets(model)
    nodes = model.graph.node
    if any(node.op_type in _INTEGER_NODES for node in nodes):
        raise QuantisationError("this bundle is quantised already; quantise the one that it was made from")
    convolutions = [i for i, node in enumerate(nodes) if node.op_type == "Conv"]
    if len(convolutions) < 2:
        raise QuantisationError(f"the graph has {len(convolutions)} convolutions; there is nothing to quantise")
    tail = _downstream(model, convolutions[-1])
    return FloatGraph(model, tail, _parts(model, frozenset(tail)))


def _keep_used_operator_sets(model: onnx.ModelProto) -> None:
    """Drop the operator sets that ONNX Runtime declares for kernels of its own, none of which occurs here."""
    used = {node.domain for node in model.graph.node}
    kept = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)


def _downstream(model: onnx.ModelProto, start: int) -> tuple[str, ...]:
    """Return the names of a node and of all that depend on it; a graph holds its nodes in the order of execution."""
    nodes = model.graph.node
    made, names = set(nodes[start].output), [nodes[start].name]
    for node in nodes[start + 1 :]:
        if made.intersection(node.input):
            made.update(node.output)
            names.append(node.name)
    return tuple(names)


def _parts(model: onnx.ModelProto, tail: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Divide nodes by the block whose convolution comes last before them."""
    parts: dict[str, list[str]] = {_STEM: []}
    current = _STEM
    for node in model.graph.node:
        if node.name in tail:
            continue
        if node.op_type == "Conv" and (block := _BLOCK.search(" ".join(node.input))):
            current = block.group()
        parts.setdefault(current, []).append(node.name)
    return {name: tuple(nodes) for name, nodes in parts.items()}
