"""OpenVINO: an engine for Intel and AMD CPUs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from lesionlens.errors import EngineError
from lesionlens.inference.engines.base import EngineInfo, FloatArray, Outputs
from lesionlens.inference.engines.precision import Precision

__all__ = ["OpenVinoEngine", "has_bf16"]


class OpenVinoEngine:
    """Runs a graph with OpenVINO on the CPU.

    Args:
        graph: Path of the ONNX graph.
        threads: Number of compute threads.
        precision: `fp32`, or `bf16` where the CPU multiplies it (AVX-512 BF16 or AMX).
        cache_dir: Folder for the compiled model, from which it starts the next time; made if it is missing. None, or
            one that cannot be written, compiles at every start.

    Raises:
        EngineError: OpenVINO cannot load the graph, or the CPU has no bf16.
    """

    def __init__(self, graph: Path, threads: int, precision: Precision = "fp32", cache_dir: Path | None = None) -> None:
        if precision == "bf16" and not has_bf16():
            # OpenVINO would compute in fp32 then, without a word: other answers than those of the other replicas.
            raise EngineError("this CPU does not compute in bf16 (it has neither AVX-512 BF16 nor AMX); accepted: fp32")
        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,  # one batch is computed at a time, by all threads
            "INFERENCE_NUM_THREADS": threads,
            # Pinned threads of two processes share the first CPUs, and leave the others idle.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            self._model = _compile(graph, options, cache_dir)
        except Exception as error:  # OpenVINO raises RuntimeError and its own types
            raise EngineError(f"OpenVINO cannot load {graph.name}: {error}") from error
        self._shape = tuple(int(d.get_length()) for d in list(self._model.input(0).get_partial_shape())[1:])
        self._ports = [self._model.output(name) for name in Outputs._fields]
        self._info = EngineInfo("openvino", ov.__version__, "cpu", precision, threads)

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


def has_bf16() -> bool:
    """Whether this CPU multiplies bf16, as OpenVINO sees it."""
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _compile(graph: Path, options: dict[str, Any], cache_dir: Path | None) -> ov.CompiledModel:
    if cache_dir is not None:
        try:
            cache_dir.mkdir(parents=True, exist_ok=True)
            return ov.Core().compile_model(str(graph), "CPU", {**options, "CACHE_DIR": str(cache_dir)})
        except (OSError, RuntimeError) as error:  # a read-only container, a full disk
            logging.getLogger("lesionlens.inference").info("no model is kept in %s: %s", cache_dir, error)
    return ov.Core().compile_model(str(graph), "CPU", options)
