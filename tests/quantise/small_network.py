"""A small convolutional network with the three outputs of a bundle, written by hand, and a bundle of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lesionlens import Bundle, Manifest
from lesionlens.imaging.preprocess import PreprocessSpec

SIZE = 32


def small_graph(seed: int = 0, *, spread: float = 1.0) -> onnx.ModelProto:
    """Return stem → depthwise block → head, whose maps are Grad-CAM for an average pool behind an identity.

    `spread` makes the channels of the block differ in size by so many powers of ten: what one scale for all of a
    tensor's values cannot hold.
    """
    rng = np.random.default_rng(seed)
    tensors, nodes = [], []

    def weight(name: str, *shape: int) -> str:
        deviation = np.sqrt(2 / np.prod(shape[1:], dtype=np.float64))
        tensors.append(numpy_helper.from_array((deviation * rng.standard_normal(shape)).astype(np.float32), name))
        return name

    sizes = (10.0 ** rng.uniform(-spread, spread, (16, 1, 1, 1))).astype(np.float32)
    tensors.append(numpy_helper.from_array(sizes.reshape(1, 16, 1, 1), "sizes"))
    tensors.append(numpy_helper.from_array((1 / sizes).reshape(1, 16, 1, 1), "inverse"))
    tensors.append(numpy_helper.from_array(np.array([2, 3]), "axes"))
    tensors.append(numpy_helper.from_array(np.array([0, 0, -1]), "flat"))
    tensors.append(numpy_helper.from_array(np.array([0, 0, 16, 16]), "square"))

    def node(kind: str, name: str, *inputs: str, **attributes: object) -> str:
        output = name if name in ("logits", "maps", "features") else f"{name}_out"
        nodes.append(helper.make_node(kind, list(inputs), [output], name, **attributes))
        return output

    x = node("Conv", "stem", "image", weight("stem.weight", 16, 3, 3, 3), strides=[2, 2], pads=[1] * 4)
    x = node("Relu", "stem_act", x)
    wide = node("Mul", "scaled", x, "sizes")
    y = node("Conv", "block_dw", wide, weight("blocks.0.0.dw", 16, 1, 3, 3), pads=[1] * 4, group=16)
    y = node("Mul", "unscaled", y, "inverse")
    y = node("Conv", "block_pw", y, weight("blocks.0.1.pw", 16, 16, 1, 1))
    y = node("Add", "sum", x, y)
    a = node("Conv", "head", y, weight("head.weight", 24, 16, 1, 1))
    node("ReduceMean", "features", a, "axes", keepdims=0)
    node("Gemm", "logits", "features", weight("linear.weight", 8, 24), transB=1)
    flat = node("Reshape", "flatten", a, "flat")
    weighted = node("MatMul", "product", "linear.weight", flat)
    folded = node("Reshape", "fold", weighted, "square")
    node("Relu", "maps", folded)
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 8]),
            helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["N", 8, 16, 16]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 24]),
        ],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def small_bundle(folder: Path, *, spread: float = 1.0, seed: int = 0) -> Bundle:
    """Write a bundle of it."""
    manifest = Manifest(
        name="small",
        version="1",
        architecture="by-hand",
        preprocessing=PreprocessSpec(size=SIZE),
        results={"slices": {}},
        graph_sha256="0" * 64,
    )
    return Bundle.write(folder, small_graph(seed, spread=spread).SerializeToString(), manifest, "# the float card")
