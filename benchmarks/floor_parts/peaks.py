"""What the machine can do at most: multiply-adds per second in each precision, and bytes per second."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import openvino as ov
from onnx import TensorProto, helper, numpy_helper

__all__ = ["Peak", "bandwidth", "best", "matrix_peaks"]

_CHANNELS: Final = 1024  # a pointwise convolution of 1024 channels is a matrix product that keeps any CPU busy
_SIDE: Final = 32
_LAYERS: Final = 6  # in a row, so that what comes before the first and after the last one counts little


class Peak(NamedTuple):
    """A measured best.

    Attributes:
        per_second: Multiply-adds.
        how: What it was measured with.
    """

    per_second: float
    how: str


def matrix_peaks(threads: int, rounds: int) -> dict[str, Peak]:
    """Measure the best of every precision; those that the CPU lacks are left out.

    Args:
        threads: Compute threads.
        rounds: How often each is tried; the best counts.
    """
    found = {"fp32": _numpy(rounds)}
    macs = _LAYERS * _CHANNELS**2 * _SIDE**2
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "products.onnx"
        path.write_bytes(_products(quantised=False))
        for precision, hint in (("fp32", "f32"), ("bf16", "bf16")):
            if precision == "bf16" and "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
                continue
            peak = Peak(macs / best(_runner(path, hint, threads), rounds), "pointwise convolutions in OpenVINO")
            found[precision] = max(found.get(precision, peak), peak)
        path.write_bytes(_products(quantised=True))
        found["int8"] = Peak(macs / best(_runner(path, "f32", threads), rounds), "the same, quantised")
    return found


def best(run: Callable[[], object], rounds: int) -> float:
    """Return the shortest time of a call in seconds, after one that does not count."""
    run()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def bandwidth(megabytes: int, threads: int, rounds: int) -> float:
    """Return the bytes per second, read and written, of copying as many bytes with all threads.

    Args:
        megabytes: What is read and written together: a few stay in the caches, hundreds do not.
        threads: Threads, each with its own part.
        rounds: How often it is tried; the best counts.
    """
    length = megabytes * 1_000_000 // (2 * 4 * threads)
    parts = [(np.ones(length, np.float32), np.zeros(length, np.float32)) for _ in range(threads)]
    repeats = max(1, 200 // megabytes)  # what fits into a cache is copied too soon to be timed once

    def copy(part: tuple[np.ndarray, np.ndarray]) -> None:
        for _ in range(repeats):
            np.copyto(part[1], part[0])

    with ThreadPoolExecutor(threads) as pool:
        seconds = best(lambda: list(pool.map(copy, parts)), rounds)
    return 2 * 4 * length * threads * repeats / seconds


def _numpy(rounds: int) -> Peak:
    size = 2048
    rng = np.random.default_rng(0)
    first, second = (rng.standard_normal((size, size), dtype=np.float32) for _ in range(2))
    out = np.empty_like(first)
    return Peak(size**3 / best(lambda: np.matmul(first, second, out=out), rounds), "matrix product in NumPy")


def _runner(path: Path, hint: str, threads: int) -> Callable[[], object]:
    options = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    request = ov.Core().compile_model(str(path), "CPU", options).create_infer_request()
    values = np.random.default_rng(0).standard_normal((1, _CHANNELS, _SIDE, _SIDE), dtype=np.float32)
    return lambda: request.infer({0: values})


def _products(*, quantised: bool) -> bytes:
    """Return a graph of pointwise convolutions, one behind the other."""
    rng = np.random.default_rng(0)
    nodes, tensors = [], []

    def constant(name: str, values: np.ndarray) -> str:
        tensors.append(numpy_helper.from_array(values, name))
        return name

    scale, zero = constant("scale", np.float32(0.05)), constant("zero", np.uint8(128))
    weight_scale = constant("weight_scale", np.full(_CHANNELS, 0.001, np.float32))
    weight_zero = constant("weight_zero", np.zeros(_CHANNELS, np.int8))
    value = "x"
    for i in range(_LAYERS):
        shape = (_CHANNELS, _CHANNELS, 1, 1)
        if quantised:
            pairs = helper.make_node("QuantizeLinear", [value, scale, zero], [f"q{i}"])
            back = helper.make_node("DequantizeLinear", [f"q{i}", scale, zero], [f"d{i}"])
            integers = constant(f"w{i}", rng.integers(-127, 128, shape, dtype=np.int8))
            weights = helper.make_node("DequantizeLinear", [integers, weight_scale, weight_zero], [f"f{i}"], axis=0)
            nodes += [pairs, back, weights]
            inputs = [f"d{i}", f"f{i}"]
        else:
            spread = 1 / np.sqrt(np.float32(_CHANNELS))  # values that stay of one size from layer to layer
            inputs = [value, constant(f"w{i}", spread * rng.standard_normal(shape, dtype=np.float32))]
        value = f"y{i}"
        nodes.append(helper.make_node("Conv", inputs, [value]))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, _CHANNELS, _SIDE, _SIDE]) for name in ("x", value)
    ]
    graph = helper.make_graph(nodes, "products", ends[:1], ends[1:], tensors)
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString())
