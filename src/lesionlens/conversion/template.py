"""The graph of EfficientNet-B5 that ships with the package, and putting weights into it.

It is what `lesionlens.training.export` makes of timm's `efficientnet_b5` at 456 px, without the values of its weights
(`python -m lesionlens.training.template` makes it anew), so that a bundle made of it is, byte for byte, the one that
the route over PyTorch makes.
"""

from __future__ import annotations

import functools
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from lesionlens.conversion.matching import Shapes
from lesionlens.conversion.tensors import FloatArray
from lesionlens.conversion.wire import EmptyTensor, empty_tensors, with_values
from lesionlens.errors import ConversionError

__all__ = ["ARCHITECTURE", "INPUT_SIZE", "TEMPLATE_PATH", "key_of", "shapes", "weights_to_graph"]

ARCHITECTURE: Final = "efficientnet_b5"
INPUT_SIZE: Final = 456
TEMPLATE_PATH: Final = Path(__file__).parent / "templates" / f"{ARCHITECTURE}.onnx.gz"

# The exporter takes the network apart at its last convolution (`lesionlens.training.one_pass`).
_KEYS: Final = {"trunk.": "", "norm.": "bn2.", "linear.": "classifier."}
_SCALE: Final = "scale"  # γ/√(σ² + ε) of the last batch norm, which the Grad-CAM maps are made with
_EPSILON: Final = 1e-5
_OUTPUTS: Final = ["logits", "maps", "features"]


def key_of(tensor: str) -> str | None:
    """Return the name in the state dict of a tensor of the graph; None for the one that is computed.

    Args:
        tensor: Its name in the graph.

    Raises:
        ValueError: No state dict has a tensor of that name.
    """
    for prefix, replacement in _KEYS.items():
        if tensor.startswith(prefix):
            return replacement + tensor.removeprefix(prefix)
    if tensor == _SCALE:
        return None
    raise ValueError(f"the graph has a tensor {tensor}, which no state dict has")


@functools.cache
def shapes() -> Shapes:
    """Return the shapes of the network's tensors by their names in the state dict, batch counters included."""
    found = {key: tensor.shape for tensor in empty_tensors(_template()) if (key := key_of(tensor.name)) is not None}
    counters = {
        f"{key.removesuffix('running_mean')}num_batches_tracked": () for key in found if key.endswith("running_mean")
    }
    return {**found, **counters}


def weights_to_graph(floats: Callable[[str], FloatArray]) -> bytes:
    """Put weights into the graph.

    Args:
        floats: Returns a tensor by its name in the state dict, float32 of the shape that `shapes` says.

    Returns:
        The serialised ONNX model, as `lesionlens.training.export.export_graph` gives it with `half=False`.

    Raises:
        ConversionError: The network gives no finite answer with these weights.
    """

    def values(tensor: EmptyTensor) -> bytes:
        key = key_of(tensor.name)
        return (_scale(floats) if key is None else floats(key)).tobytes()

    graph = with_values(_template(), values)
    _require_answers(graph)
    return graph


def _scale(floats: Callable[[str], FloatArray]) -> FloatArray:
    # In double precision, as `lesionlens.training.one_pass` does it.
    gamma, variance = floats("bn2.weight").astype(np.float64), floats("bn2.running_var").astype(np.float64)
    with np.errstate(all="ignore"):  # a variance below zero shows in the answers
        return np.asarray(gamma / np.sqrt(variance + _EPSILON), dtype="<f4")


def _require_answers(graph: bytes) -> None:
    """Run the finished graph once as serving will."""
    batch = np.random.default_rng(0).standard_normal((1, 3, INPUT_SIZE, INPUT_SIZE), dtype=np.float32)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    for name, values in zip(_OUTPUTS, session.run(_OUTPUTS, {"image": batch}), strict=True):
        if not np.isfinite(values).all():
            raise ConversionError(f"with these weights the network's {name} are not finite; its training failed")


@functools.cache
def _template() -> bytes:
    return gzip.decompress(TEMPLATE_PATH.read_bytes())
