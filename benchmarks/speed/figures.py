"""From what was measured to the figures of the table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from contenders import OURS
from rounds import NAIVE, Measured
from targets import TARGETS, Target

__all__ = ["Figure", "Starts", "as_json", "missed", "summarise"]


class Figure(NamedTuple):
    """One figure.

    Attributes:
        value: The median over the rounds.
        low: The lowest of the rounds.
        high: The highest of the rounds.
        rounds: How many there were.
    """

    value: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Summarise the values of the rounds, at least one."""
        return cls(statistics.median(values), min(values), max(values), len(values))

    def text(self, digits: int = 0) -> str:
        """Return the median, and what it varied between in brackets."""
        if self.rounds == 1:
            return f"{self.value:.{digits}f}"
        return f"{self.value:.{digits}f} ({self.low:.{digits}f}–{self.high:.{digits}f})"


class Starts(NamedTuple):
    """What was measured on processes that were started for it.

    Attributes:
        ours: Seconds from the start of the service with B5 to its first answer.
        lite2: The same with the embedded model.
        naive: The same of the baseline.
        memory: MiB (PSS) that the service holds with B5 after `Plan.memory_requests` answers.
        memory_rss: The same, as RSS.
        naive_memory: MiB (PSS) that the baseline holds after all that it answered.
    """

    ours: list[float]
    lite2: list[float]
    naive: list[float]
    memory: float
    memory_rss: float
    naive_memory: float


def summarise(measured: Measured, starts: Starts) -> dict[str, Figure]:
    """Return all figures by their keys.

    Ratios are taken within each round, of two medians that were measured within seconds of each other, and only then
    summarised: what slows the whole machine for a while does not move them.

    Args:
        measured: Of the rounds.
        starts: Of the processes started apart.
    """
    small, large, load = measured.small, measured.large, measured.throughput
    figures = {
        "latency_ms": Figure.of(_times(1000, small[OURS])),
        "naive_latency_ms": Figure.of(_times(1000, small[NAIVE])),
        "latency_ratio": Figure.of(_ratios(small[NAIVE], small[OURS])),
        "large_latency_ms": Figure.of(_times(1000, large[OURS])),
        "naive_large_latency_ms": Figure.of(_times(1000, large[NAIVE])),
        "large_photo_ms": Figure.of(_times(1000, _differences(large[OURS], small[OURS]))),
        "naive_large_photo_ms": Figure.of(_times(1000, _differences(large[NAIVE], small[NAIVE]))),
        "throughput": Figure.of(load[OURS]),
        "naive_throughput": Figure.of(load[NAIVE]),
        "throughput_ratio": Figure.of(_ratios(load[OURS], load[NAIVE])),
        "cold_start_s": Figure.of(starts.ours),
        "cold_start_lite2_s": Figure.of(starts.lite2),
        "naive_cold_start_s": Figure.of(starts.naive),
        "memory_mib": Figure.of([starts.memory]),
        "memory_rss_mib": Figure.of([starts.memory_rss]),
        "naive_memory_mib": Figure.of([starts.naive_memory]),
    }
    for name, bare in measured.bare.items():
        prefix = "" if name == OURS else f"{name}."
        overhead = [100.0 * (1.0 - b / s) for b, s in zip(bare, small[name], strict=True)]
        figures[f"{prefix}network_ms"] = Figure.of(_times(1000, bare))
        figures[f"{prefix}overhead_percent"] = Figure.of(overhead)
        if prefix:
            figures[f"{prefix}latency_ms"] = Figure.of(_times(1000, small[name]))
            figures[f"{prefix}latency_ratio"] = Figure.of(_ratios(small[NAIVE], small[name]))
            figures[f"{prefix}throughput"] = Figure.of(load[name])
            figures[f"{prefix}throughput_ratio"] = Figure.of(_ratios(load[name], load[NAIVE]))
    return figures


def missed(figures: dict[str, Figure]) -> list[Target]:
    """Return the targets that were not reached."""
    return [target for target in TARGETS if not target.met(figures[target.figure].value)]


def as_json(figures: dict[str, Figure]) -> dict[str, Any]:
    """Return the figures for a JSON document."""
    return {key: figure._asdict() for key, figure in figures.items()}


def _times(factor: float, values: Sequence[float]) -> list[float]:
    return [factor * value for value in values]


def _ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(above, below, strict=True)]


def _differences(values: Sequence[float], others: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(values, others, strict=True)]
