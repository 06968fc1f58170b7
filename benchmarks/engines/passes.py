"""Forward passes of every engine, precision, number of threads and size of batch, in turn."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from networks import Network

from lesionlens.errors import EngineError
from lesionlens.inference.engines import Engine, available_engines, create_engine

__all__ = ["Contender", "Time", "contenders", "print_times", "run_rounds"]

Batch = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Contender:
    """A loaded network.

    Attributes:
        engine: What runs it.
        precision: `fp32`, `bf16`, `int8` or `int8+bf16`.
        threads: Compute threads.
        load_seconds: How long loading took.
    """

    engine: Engine
    precision: str
    threads: int
    load_seconds: float

    @property
    def title(self) -> str:
        """What stands in the table."""
        return f"{self.engine.info.name} {self.precision}, {self.threads} thread{'s' if self.threads > 1 else ''}"


class Time(NamedTuple):
    """How long one pass took, in seconds on the clock and of processor time."""

    clock: float
    processor: float


def contenders(network: Network, threads: int) -> list[Contender]:
    """Load a network every way that this machine has; the baseline is the first."""
    found = []
    for count in dict.fromkeys((threads, 1)):
        for name in available_engines():
            for graph, precision, arithmetic in (
                (network.graph, "fp32", "fp32"),
                (network.graph, "bf16", "bf16"),
                (network.int8[name], "int8", "fp32"),
                (network.int8[name], "int8+bf16", "bf16"),
            ):
                try:
                    found.append(_load(graph, name, precision, arithmetic, count))
                except EngineError as error:
                    if count == threads:
                        print(f"left out: {name} {precision}: {error}")
    return found


def _load(graph: Path, name: str, precision: str, arithmetic: str, threads: int) -> Contender:
    began = time.perf_counter()
    engine = create_engine(graph, name, threads, arithmetic)
    return Contender(engine, precision, threads, time.perf_counter() - began)


def run_rounds(
    entries: list[Contender], photos: Batch, batches: tuple[int, ...], rounds: int
) -> dict[Contender, dict[int, list[Time]]]:
    """Run all contenders in turn, so that what disturbs the machine disturbs all of them alike.

    Contenders with one thread run batches of 1 alone. The first round warms up, tells how long the rest will take, and
    is not counted.
    """
    times: dict[Contender, dict[int, list[Time]]] = {entry: defaultdict(list) for entry in entries}
    most = entries[0].threads
    for number in range(rounds + 1):
        began = time.perf_counter()
        for entry in entries:
            for size in batches if entry.threads == most else batches[:1]:
                batch = np.ascontiguousarray(photos[:size])
                clock, processor = time.perf_counter(), time.process_time()
                entry.engine.run(batch)
                if number:
                    times[entry][size].append(Time(time.perf_counter() - clock, time.process_time() - processor))
        if number == 0:
            print(f"rounds: about {rounds * (time.perf_counter() - began):.0f} s", flush=True)
    return times


def print_times(times: dict[Contender, dict[int, list[Time]]], batches: tuple[int, ...]) -> None:
    """Print milliseconds for an image, the ratio to the baseline, and the gain of the batch."""
    first = next(iter(times))
    baseline = _median(times[first][batches[0]], 0) / batches[0]
    print("\n| network | batch | ms an image | quartiles | speed | gain of the batch | CPU ms | load s |")
    print("|---|---|---|---|---|---|---|---|")
    for entry, by_size in times.items():
        alone = _median(by_size[batches[0]], 0) / batches[0]
        for size, values in by_size.items():
            clock = _median(values, 0) / size
            low, high = np.quantile([value.clock / size for value in values], (0.25, 0.75))
            print(
                f"| {entry.title} | {size} | {1000 * clock:.1f} | {1000 * low:.1f}–{1000 * high:.1f} "
                f"| {baseline / clock:.2f}× | {alone / clock:.2f}× | {1000 * _median(values, 1) / size:.1f} "
                f"| {entry.load_seconds:.2f} |"
            )
    print(f"\nMedians. `speed` is the ratio to {first.title}, batch {batches[0]}; a gain of 1.00× is none.")


def _median(values: list[Time], which: int) -> float:
    return statistics.median(value[which] for value in values)
