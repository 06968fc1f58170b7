"""Choosing an engine among those installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final, Literal, get_args

from lesionlens.errors import EngineError
from lesionlens.inference.engines.base import Engine
from lesionlens.inference.engines.precision import Precision, resolve_precision
from lesionlens.inference.threads import usable_cpus

__all__ = ["ENGINES", "EngineName", "available_engines", "create_engine"]

EngineName = Literal["auto", "onnxruntime", "openvino"]
ENGINES: Final[tuple[str, ...]] = get_args(EngineName)


def available_engines() -> tuple[str, ...]:
    """Return the names of the installed engines, the one that `auto` takes first."""
    return tuple(name for name in ENGINES if name != "auto" and importlib.util.find_spec(name) is not None)


def create_engine(
    graph: Path,
    name: str = "auto",
    threads: int = 0,
    precision: str = "auto",
    cache_dir: Path | None = None,
) -> Engine:
    """Load a graph into an engine.

    Args:
        graph: Path of the ONNX graph.
        name: `auto`, `onnxruntime` or `openvino`. `auto` takes the one that computes in the precision: ONNX Runtime in
            fp32, which is as quick there as OpenVINO, starts in half the time, and uses a card if its build can; and
            OpenVINO in bf16.
        threads: Number of compute threads; 0 for one per CPU that this process may use.
        precision: `auto`, `fp32` or `bf16`. `auto` is `fp32` on every machine (`resolve_precision` says why).
        cache_dir: Folder where an engine that compiles may keep what it compiled; None for none.

    Raises:
        EngineError: The name or the precision is unknown, the engine is not installed or does not compute in the
            precision, or it cannot load the graph.
    """
    arithmetic = resolve_precision(precision)
    name = _installed(name, arithmetic)
    threads = threads or usable_cpus()
    if name == "openvino":
        from lesionlens.inference.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(graph, threads, arithmetic, cache_dir / "openvino" if cache_dir else None)
    from lesionlens.inference.engines.onnxruntime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(graph, threads, arithmetic)


def _installed(name: str, precision: Precision) -> str:
    """Return the name of an installed engine."""
    if name not in ENGINES:
        raise EngineError(f"unknown engine {name!r}; accepted: {', '.join(ENGINES)}")
    available = available_engines()
    if name == "auto":
        if not available:
            raise EngineError("no inference engine is installed; install onnxruntime or openvino")
        name = "openvino" if precision == "bf16" else available[0]
    if name not in available:
        remedy = "" if name == "onnxruntime" else "; install it with: pip install 'lesionlens[openvino]'"
        raise EngineError(f"engine {name!r} is not installed; installed: {', '.join(available) or 'none'}{remedy}")
    return name
