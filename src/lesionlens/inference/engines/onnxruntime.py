"""ONNX Runtime, the engine that is always installed."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

from lesionlens.errors import EngineError
from lesionlens.inference.engines.base import EngineInfo, FloatArray, Outputs

__all__ = ["OnnxRuntimeEngine"]


class OnnxRuntimeEngine:
    """Runs a graph with ONNX Runtime: on CUDA if the installed build has it, else on the CPU.

    Args:
        graph: Path of the ONNX graph.
        threads: Number of compute threads.

    Raises:
        EngineError: ONNX Runtime cannot load the graph.
    """

    def __init__(self, graph: Path, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        providers = [p for p in ("CUDAExecutionProvider", "CPUExecutionProvider") if p in ort.get_available_providers()]
        try:
            self._session = ort.InferenceSession(str(graph), options, providers=providers)
        except Exception as error:  # ONNX Runtime raises several types that share no base of their own
            raise EngineError(f"ONNX Runtime cannot load {graph.name}: {error}") from error
        self._input = self._session.get_inputs()[0].name
        device = "cuda" if self._session.get_providers()[0].startswith("CUDA") else "cpu"
        self._info = EngineInfo("onnxruntime", ort.__version__, device, "fp32", threads)

    @property
    def info(self) -> EngineInfo:
        """Which engine this is."""
        return self._info

    def run(self, batch: FloatArray) -> Outputs:
        """Run one forward pass; see `Engine.run`."""
        try:
            return Outputs(*self._session.run(list(Outputs._fields), {self._input: batch}))
        except Exception as error:
            raise EngineError(f"ONNX Runtime failed on a batch of shape {batch.shape}: {error}") from error
