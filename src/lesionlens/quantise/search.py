"""Which parts of a network stay in floating point: as few as keep its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from lesionlens.quantise.graph import FloatGraph
from lesionlens.quantise.ranges import Layout, Ranges, quantised_graph

__all__ = ["Candidate", "candidates", "errors_by_part", "run_graph"]

FloatArray = npt.NDArray[np.float32]

_SESSION_LOG_ERRORS: Final = 3


class Candidate(NamedTuple):
    """A quantised graph.

    Attributes:
        model: The serialised ONNX model.
        float_parts: The parts that stay in floating point, beside the tail.
    """

    model: bytes
    float_parts: tuple[str, ...]


def run_graph(model: bytes, threads: int) -> Callable[[FloatArray], FloatArray]:
    """Return a function from a batch, float32 `[N, 3, size, size]`, to the logits of a graph, float32 `[N, 8]`."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _SESSION_LOG_ERRORS
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(batch: FloatArray) -> FloatArray:
        [logits] = session.run(["logits"], {"image": batch})
        return np.asarray(logits, dtype=np.float32)

    return run


def errors_by_part(
    graph: FloatGraph,
    ranges: Ranges,
    pictures: Sequence[FloatArray],
    threads: int,
    layout: Layout = "onnxruntime",
    progress: Callable[[int], object] = lambda _: None,
) -> dict[str, float]:
    """Quantise each part alone, and see how far the logits move.

    Args:
        graph: The graph.
        ranges: What `measure_ranges` found.
        pictures: float32 `[1, 3, size, size]` each.
        threads: Compute threads.
        layout: For which engine the int8 pairs are placed.
        progress: Called with 1 after each part.

    Returns:
        The mean absolute move of a logit by part, the worst part first.
    """
    whole = run_graph(graph.model.SerializeToString(), threads)
    expected = [whole(picture) for picture in pictures]
    errors = {}
    for part in graph.parts:
        model = quantised_graph(graph, ranges, graph.nodes_outside({part}), layout)
        run = run_graph(model.SerializeToString(), threads)
        errors[part] = float(np.mean([np.abs(run(x) - y).mean() for x, y in zip(pictures, expected, strict=True)]))
        progress(1)
    return dict(sorted(errors.items(), key=lambda item: -item[1]))


def candidates(
    graph: FloatGraph, ranges: Ranges, worst_first: Sequence[str], layout: Layout = "onnxruntime"
) -> Iterator[Candidate]:
    """Yield quantised graphs with ever more parts in floating point, the worst ones first; half of the parts at most.

    Args:
        graph: The graph.
        ranges: What `measure_ranges` found.
        worst_first: The parts as `errors_by_part` orders them.
        layout: For which engine the int8 pairs are placed.
    """
    count = 0
    while count <= len(worst_first) // 2:
        kept = tuple(part for part in graph.parts if part in worst_first[:count])
        model = quantised_graph(graph, ranges, graph.nodes_outside(set(graph.parts) - set(kept)), layout)
        yield Candidate(_tidy(model).SerializeToString(deterministic=True), kept)
        count += 1 if count < 4 else 2


def _tidy(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop the notes on shapes and origin that no engine reads."""
    del model.graph.value_info[:]
    del model.metadata_props[:]
    return model
