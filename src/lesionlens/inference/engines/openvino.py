"""OpenVINO: an engine for Intel and AMD CPUs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov

from lesionlens.errors import EngineError
from lesionlens.inference.engines.base import EngineInfo, FloatArray, Outputs

__all__ = ["OpenVinoEngine"]


class OpenVinoEngine:
    """Runs a graph with OpenVINO on the CPU, in single precision.

    Args:
        graph: Path of the ONNX graph.
        threads: Number of compute threads.

    Raises:
        EngineError: OpenVINO cannot load the graph.
    """

    def __init__(self, graph: Path, threads: int) -> None:
        options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        try:
            self._model = ov.Core().compile_model(str(graph), "CPU", options)
        except Exception as error:  # OpenVINO raises RuntimeError and its own types
            raise EngineError(f"OpenVINO cannot load {graph.name}: {error}") from error
        self._shape = tuple(int(d.get_length()) for d in list(self._model.input(0).get_partial_shape())[1:])
        self._ports = [self._model.output(name) for name in Outputs._fields]
        self._info = EngineInfo("openvino", ov.__version__, "cpu", "fp32", threads)

    @property
    def info(self) -> EngineInfo:
        """Which engine this is."""
        return self._info

    def run(self, batch: FloatArray) -> Outputs:
        """Run one forward pass; see `Engine.run`."""
        if batch.shape[1:] != self._shape:  # OpenVINO would take it, and answer nonsense
            raise EngineError(
                f"OpenVINO failed on a batch of shape {batch.shape}: expected (N, {', '.join(map(str, self._shape))})"
            )
        try:
            # A request of its own makes the call safe from several threads; one that is shared is not.
            results = self._model.create_infer_request().infer({0: batch})
        except Exception as error:
            raise EngineError(f"OpenVINO failed on a batch of shape {batch.shape}: {error}") from error
        return Outputs(*(np.array(results[port], dtype=np.float32) for port in self._ports))
