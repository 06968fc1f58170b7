"""Making the graph without weights that ships with the package (`lesionlens.conversion.template`).

`python -m lesionlens.training.template` makes it anew: after a change of the exporter, or with other versions of
PyTorch and onnxscript, which choose the names inside a graph.
"""

from __future__ import annotations

import gzip

import onnx
import torch

from lesionlens.conversion.template import ARCHITECTURE, INPUT_SIZE, TEMPLATE_PATH, key_of
from lesionlens.training.export import export_graph
from lesionlens.training.model import create_model

__all__ = ["export_template", "without_weights"]


def export_template(seed: int = 0) -> bytes:
    """Export the network and leave its weights out.

    Args:
        seed: Of the random weights; the result does not depend on them.

    Returns:
        The serialised ONNX model.
    """
    torch.manual_seed(seed)
    return without_weights(export_graph(create_model(ARCHITECTURE), INPUT_SIZE, half=False))


def without_weights(graph: bytes) -> bytes:
    """Take the values of the weights out of a graph; constants of the network's structure stay.

    Args:
        graph: A serialised ONNX model, as `export_graph` gives it with `half=False`.
    """
    model = onnx.load_from_string(graph)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and _is_weight(tensor.name):
            tensor.ClearField("raw_data")
    return bytes(model.SerializeToString(deterministic=True))


def _is_weight(name: str) -> bool:
    try:
        key_of(name)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    TEMPLATE_PATH.parent.mkdir(exist_ok=True)
    TEMPLATE_PATH.write_bytes(gzip.compress(export_template(), mtime=0))
    print(f"{TEMPLATE_PATH}: {TEMPLATE_PATH.stat().st_size:,} bytes")
