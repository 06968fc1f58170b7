"""Which values occur between the layers: what the scales of the int8 numbers are made of."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import create_calibrator
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from lesionlens.quantise.graph import FloatGraph

__all__ = ["OPERATORS", "PERCENTILE", "Layout", "Ranges", "measure_ranges", "quantised_graph"]

FloatArray = npt.NDArray[np.float32]
Ranges = Any
"""`onnxruntime.quantization.calibrate.TensorsData`."""

Layout = Literal["onnxruntime", "openvino"]
"""For which engine the int8 pairs are placed. ONNX Runtime computes a convolution in int8 only if its output is int8 as
well. OpenVINO does without, and can then fuse the activation into the convolution: for networks with SiLU, such as
EfficientNet-B5, that makes the difference. Either engine runs either layout, at its own speed."""

OPERATORS: Final = ("Conv", "Clip", "Add")
"""What is computed on int8 numbers. SiLU, means and the products with them stay in floating point: they are little of
the arithmetic, and there eight bits cost the most accuracy."""
PERCENTILE: Final = 99.99
"""Share of the values, in percent, that a scale must hold; the few beyond it are cut off (Wu et al. 2020, *Integer
Quantization for Deep Learning Inference*)."""


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, batches: Iterable[FloatArray]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> dict[str, FloatArray] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"image": batch}


def measure_ranges(
    graph: FloatGraph, pictures: Iterable[FloatArray], progress: Callable[[int], object] = lambda _: None
) -> Ranges:
    """Run pictures through the graph and take the range of each tensor between its layers.

    Args:
        graph: The graph.
        pictures: float32 `[1, 3, size, size]` each.
        progress: Called with 1 after each picture.

    Returns:
        The ranges by tensor, as the quantiser takes them.
    """
    with tempfile.TemporaryDirectory() as folder, _silent():
        path = Path(folder) / "model.onnx"
        onnx.save(graph.model, path)
        calibrator = create_calibrator(
            path,
            list(OPERATORS),
            augmented_model_path=str(Path(folder) / "watched.onnx"),
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"percentile": PERCENTILE, "symmetric": False},
        )
        for picture in pictures:
            # One at a time: a call keeps every tensor of all its pictures until it ends.
            calibrator.collect_data(_Pictures([picture]))
            progress(1)
        return calibrator.compute_data()


def quantised_graph(
    graph: FloatGraph, ranges: Ranges, left_out: list[str], layout: Layout = "onnxruntime"
) -> onnx.ModelProto:
    """Return the graph with int8 weights and unsigned 8-bit values between its layers, as QuantizeLinear pairs (QDQ).

    Weights have a scale for each output channel, values one for each tensor (Jacob et al. 2018, *Quantization and
    Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*; Krishnamoorthi 2018).

    Args:
        graph: The graph.
        ranges: What `measure_ranges` found.
        left_out: Names of the nodes that stay in floating point.
        layout: For which engine the pairs are placed.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(graph.model)  # the quantiser changes what it is given
    with _silent():
        quantiser = QDQQuantizer(
            copy,
            True,  # a scale for each channel
            False,  # all eight bits
            QuantType.QInt8,
            QuantType.QUInt8,
            ranges,
            [],
            left_out,
            ["Conv"] if layout == "openvino" else list(OPERATORS),
            {"OpTypesToExcludeOutputQuantization": ["Conv"]} if layout == "openvino" else {},
        )
        quantiser.quantize_model()
    model = quantiser.model.model
    assert isinstance(model, onnx.ModelProto)  # noqa: S101 - ONNX Runtime has no types
    return model


def _silent() -> contextlib.redirect_stdout[io.StringIO]:
    """Keep what the quantiser prints of its histograms off the screen."""
    return contextlib.redirect_stdout(io.StringIO())
