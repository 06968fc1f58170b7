"""The weights of a bundle, read back out of its graph, so that training can go on from nothing but the bundle."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper
from torch import nn

from lesionlens.errors import BundleError
from lesionlens.inference.bundle import Bundle
from lesionlens.training.one_pass import find_tail

__all__ = ["bundle_weights"]

_TRUNK: Final = "trunk."
_HALF: Final = "_half"
_STATISTICS: Final = ("weight", "bias", "running_mean", "running_var")


def bundle_weights(folder: Path, model: nn.Module) -> dict[str, torch.Tensor]:
    """Return the network's state dict as `lesionlens export` wrote it into the graph.

    Large weights are stored in half precision, so they come back rounded to it.

    Args:
        folder: The bundle's folder.
        model: A network of the same architecture; it says how the last layers are called there.

    Returns:
        float32 tensors by their names in the network.

    Raises:
        BundleError: The folder holds no valid bundle, one of another architecture, or one whose graph has its batch
            norms folded into the convolutions, as other exporters and LesionLens before 0.2 do.
        ExportError: The network does not end as those that can be exported.
    """
    bundle = Bundle.load(folder)
    graph = onnx.load_model(bundle.graph_path).graph
    tensors = {
        tensor.name.removesuffix(_HALF): torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in graph.initializer
        if tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)
    }
    tail = find_tail(copy.deepcopy(model).eval(), bundle.manifest.preprocessing.size)
    own = {name: f"norm.{name}" for name in _STATISTICS}
    if not all(key in tensors for key in (*own.values(), "linear.weight", "linear.bias")):
        raise BundleError(
            f"training cannot go on from the bundle {bundle.manifest.name!r}: its graph does not hold the batch norms "
            "apart from the convolutions. Bundles that `lesionlens export` of version 0.2 or later wrote do"
        )
    weights = {name.removeprefix(_TRUNK): t for name, t in tensors.items() if name.startswith(_TRUNK)}
    weights |= {f"{tail.norm}.{name}": tensors[key] for name, key in own.items()}
    return weights | {f"{tail.linear}.{name}": tensors[f"linear.{name}"] for name in ("weight", "bias")}
