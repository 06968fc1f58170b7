"""ONNX Runtime, the engine that is always installed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import onnxruntime as ort

from lesionlens.errors import EngineError
from lesionlens.inference.engines.base import EngineInfo, FloatArray, Outputs
from lesionlens.inference.engines.precision import Precision
from lesionlens.inference.threads import cpu_quota, usable_cpus

__all__ = ["OnnxRuntimeEngine", "choose_providers"]

_CUDA: Final = "CUDAExecutionProvider"
_CPU: Final = "CPUExecutionProvider"


class OnnxRuntimeEngine:
    """Runs a graph with ONNX Runtime: on CUDA if the installed build has it and there is a card, else on the CPU.

    Args:
        graph: Path of the ONNX graph.
        threads: Number of compute threads.
        precision: `fp32`; nothing else is computed here.

    Raises:
        EngineError: ONNX Runtime cannot load the graph, or the precision is not `fp32`.
    """

    def __init__(self, graph: Path, threads: int, precision: Precision = "fp32") -> None:
        if precision != "fp32":
            # Its only bf16 on CPUs is a fast path of 64-bit Arm (mlas.enable_gemm_fastmath_arm64_bfloat16).
            raise EngineError(
                f"ONNX Runtime computes in fp32, not in {precision}; take the engine openvino "
                "(pip install 'lesionlens[openvino]') or the precision fp32"
            )
        providers = choose_providers(ort.get_available_providers())
        try:
            self._session = ort.InferenceSession(str(graph), _options(threads), providers=providers)
        except Exception as error:  # ONNX Runtime raises several types that share no base of their own
            raise EngineError(f"ONNX Runtime cannot load {graph.name}: {error}") from error
        self._input = self._session.get_inputs()[0].name
        device = "cuda" if self._session.get_providers()[0] == _CUDA else "cpu"
        if device == "cpu" and len(providers) > 1:
            logging.getLogger("lesionlens.inference").warning(
                "the installed ONNX Runtime can compute on CUDA, but could not start it (no card, driver or cuDNN); "
                "computing on the CPU"
            )
        self._info = EngineInfo("onnxruntime", ort.__version__, device, precision, threads)

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


def choose_providers(available: Sequence[str]) -> list[str | tuple[str, dict[str, Any]]]:
    """Choose execution providers, the preferred one first.

    TensorRT is left out: it takes minutes to build its engine at every start, and rounds in ways of its own.

    Args:
        available: Those of the installed build, as `onnxruntime.get_available_providers` names them.
    """
    # By default CUDA multiplies in TF32, whose 10 bits of mantissa are not the fp32 that is stated.
    cuda = [(_CUDA, {"use_tf32": "0"})] if _CUDA in available else []
    return [*cuda, _CPU]


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1  # the graph is a chain: there is nothing to run beside it
    options.log_severity_level = 3
    # Memory is planned anew for every size of batch, and each plan keeps its own: B5 at 456 px that has seen batches of
    # 1 and of 4 holds 1,030 MB with plans and 690 MB without, at the same speed.
    options.enable_mem_pattern = False
    # A thread that waits for work spins. That is quickest while a pass runs, and takes the CPU from decoding after it.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if cpu_quota() is not None or threads > usable_cpus():  # spinning would use up a ration, or another thread's CPU
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
