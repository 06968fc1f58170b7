"""A trained network to a bundle: one ONNX graph that gives logits, Grad-CAM maps and features."""

from __future__ import annotations

import logging
import warnings
from typing import Final

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx_ir import Model
from onnx_ir.passes import Sequential, common
from onnxscript.optimizer import fold_constants
from onnxscript.rewriter import rewrite
from onnxscript.rewriter.rules.common import fuse_pad_into_conv_rule, normalize_pad_format_conv_rule
from torch import nn

from lesionlens.errors import ExportError
from lesionlens.training.one_pass import OnePass

__all__ = ["export_graph", "halve_weights"]

OPSET: Final = 18
NAMES: Final = ["logits", "maps", "features"]
_TOLERANCE: Final = 1e-2
# Rounding moves the maps of untrained networks most, where activations sit on their kinks; a wrong graph is far off.
_HALF_TOLERANCE: Final = 0.1
_SMALL: Final = 2048  # elements: tensors below stay in single precision, they weigh nothing


def export_graph(model: nn.Module, input_size: int, *, half: bool = True) -> bytes:
    """Export a network as an ONNX graph with the outputs `logits`, `maps` and `features`.

    Args:
        model: The network, on the CPU.
        input_size: Side of its square input in pixels.
        half: Store large weights in half precision. The graph still computes in single precision.

    Returns:
        The serialized ONNX model: input `image` float32 `[N, 3, size, size]`, outputs `logits` `[N, C]`,
        `maps` `[N, C, h, w]`, `features` `[N, K]`.

    Raises:
        ExportError: The network does not end as the closed form of Grad-CAM needs, or the graph does not give what
            the network gives.
    """
    one_pass = OnePass(model.float().cpu(), input_size).eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        try:
            program = torch.onnx.export(
                one_pass,
                (torch.zeros(2, 3, input_size, input_size),),
                input_names=["image"],
                output_names=NAMES,
                opset_version=OPSET,
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("N", min=1, max=4096)},),
                verbose=False,
                optimize=False,
            )
        except torch.onnx.OnnxExporterError as error:
            raise ExportError(f"PyTorch cannot export this network: {error}") from error
        _simplify(program.model)  # type: ignore[union-attr]
        graph = program.model_proto  # type: ignore[union-attr]
    _strip(graph)
    serialized = _serialize(graph)
    _require_agreement(serialized, one_pass, input_size, _TOLERANCE)
    if half:
        halve_weights(graph)
        serialized = _serialize(graph)
        _require_agreement(serialized, one_pass, input_size, _HALF_TOLERANCE)
    return serialized


def _simplify(model: Model) -> None:
    """Fold what is constant, in place, and leave the batch norms as they are.

    The exporter's own optimizer would fold them into the convolutions, which every engine does by itself when it loads
    the graph. Kept apart, a bundle is all that training needs to go on from it (`load_start`).
    """
    fold_constants(model)
    rewrite(model, [normalize_pad_format_conv_rule, fuse_pad_into_conv_rule])
    Sequential(
        common.LiftConstantsToInitializersPass(size_limit=1),
        common.CommonSubexpressionEliminationPass(),
        common.RemoveUnusedNodesPass(),
        common.RemoveUnusedOpsetsPass(),
    )(model)


def _serialize(graph: onnx.ModelProto) -> bytes:
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString(deterministic=True))


def _require_agreement(graph: bytes, one_pass: OnePass, size: int, tolerance: float) -> None:
    """Run the finished graph as serving will, and compare it with the network it was made from."""
    batch = np.random.default_rng(0).standard_normal((2, 3, size, size), dtype=np.float32)
    with torch.inference_mode():
        expected = [output.numpy() for output in one_pass(torch.from_numpy(batch))]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    for name, found, reference in zip(NAMES, session.run(NAMES, {"image": batch}), expected, strict=True):
        # An untrained network's logits are nearly alike: below 1 their differences are rounding, not signal.
        scale = max(1.0, float(np.ptp(reference))) if name == "logits" else float(np.abs(reference).max()) + 1e-6
        difference = float(np.abs(found - reference).max()) / scale
        if not difference <= tolerance:
            raise ExportError(f"the graph's {name} differ from the network's by {difference:.2g} of their range")


def halve_weights(model: onnx.ModelProto) -> None:
    """Store large float32 weights as float16 and cast them back at load, in place.

    Every engine folds the casts when it loads the graph, so that computing stays in single precision.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < _SMALL:
            continue
        name = tensor.name
        values = numpy_helper.to_array(tensor)
        limit = float(np.finfo(np.float16).max)
        tensor.CopyFrom(numpy_helper.from_array(values.clip(-limit, limit).astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], f"{name}_cast", to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)


def _strip(model: onnx.ModelProto) -> None:
    """Drop what only the exporter's authors read: stack traces with paths of this machine, and shape notes."""
    model.doc_string = ""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
