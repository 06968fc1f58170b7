"""Choosing an engine among those installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final, Literal, get_args

from lesionlens.errors import EngineError
from lesionlens.inference.engines.base import Engine
from lesionlens.inference.threads import usable_cpus

__all__ = ["ENGINES", "EngineName", "available_engines", "create_engine"]

EngineName = Literal["auto", "onnxruntime", "openvino"]
ENGINES: Final[tuple[str, ...]] = get_args(EngineName)


def available_engines() -> tuple[str, ...]:
    """Return the names of the installed engines, the one that `auto` takes first."""
    return tuple(name for name in ENGINES if name != "auto" and importlib.util.find_spec(name) is not None)


def create_engine(graph: Path, name: str = "auto", threads: int = 0) -> Engine:
    """Load a graph into an engine.

    Args:
        graph: Path of the ONNX graph.
        name: `auto`, `onnxruntime` or `openvino`. `auto` takes the first installed one in this order.
        threads: Number of compute threads; 0 for one per CPU that this process may use.

    Raises:
        EngineError: The name is unknown, the engine is not installed, or it cannot load the graph.
    """
    available = available_engines()
    if name == "auto":
        if not available:
            raise EngineError("no inference engine is installed; install onnxruntime or openvino")
        name = available[0]
    if name not in ENGINES:
        raise EngineError(f"unknown engine {name!r}; accepted: {', '.join(ENGINES)}")
    if name not in available:
        raise EngineError(f"engine {name!r} is not installed; installed: {', '.join(available) or 'none'}")
    threads = threads or usable_cpus()
    if name == "openvino":
        from lesionlens.inference.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(graph, threads)
    from lesionlens.inference.engines.onnxruntime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(graph, threads)
