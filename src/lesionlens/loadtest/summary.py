"""What a load test found, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lesionlens.loadtest.samples import Sample

__all__ = ["Interval", "Latency", "Summary", "summarise"]


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from sending to the last byte of the answer.

    Attributes:
        p50: Half were answered within it.
        p90: 90 % were.
        p99: 99 % were.
        largest: All were.
    """

    p50: float
    p90: float
    p99: float
    largest: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A piece of the test.

    Attributes:
        begins: Seconds since the beginning of the test.
        answered: Answers per second that arrived in it.
        turned_away: Refusals per second.
        failed: Failures per second.
        p50: Median latency of the answers that arrived in it, in seconds; None without any.
        p99: Their 99th percentile.
    """

    begins: float
    answered: float
    turned_away: float
    failed: float
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a test.

    Attributes:
        requests: How many were sent.
        answered: How many were answered rightly.
        turned_away: How many a busy service refused as it should (429 or 503, with `Retry-After`).
        failed: All others.
        seconds: From the first request to the last answer.
        per_second: Right answers per second.
        latency: Of the right answers; None without any.
        refusal: Latency of the refusals; None without any.
        statuses: How often each status came; `none` for no answer.
        errors: How often each failure came, in words.
        intervals: The test in equal pieces, for drawing.
    """

    requests: int
    answered: int
    turned_away: int
    failed: int
    seconds: float
    per_second: float
    latency: Latency | None
    refusal: Latency | None
    statuses: dict[str, int]
    errors: dict[str, int]
    intervals: list[Interval]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


def summarise(samples: Sequence[Sample], pieces: int | None = None) -> Summary:
    """Count and measure.

    Args:
        samples: What became of each request.
        pieces: In how many intervals the test is cut; by default 10 to 60, so that most hold twenty requests or more.

    Raises:
        ValueError: There are no samples.
    """
    if not samples:
        raise ValueError("there are no samples: no request was sent")
    pieces = pieces or min(60, max(10, len(samples) // 20))
    right = [s for s in samples if s.answered and not s.failed]
    refused = [s for s in samples if s.turned_away]
    failed = [s for s in samples if s.failed]
    seconds = max(s.begun + s.seconds for s in samples)
    return Summary(
        requests=len(samples),
        answered=len(right),
        turned_away=len(refused),
        failed=len(failed),
        seconds=seconds,
        per_second=len(right) / seconds,
        latency=_latency(right),
        refusal=_latency(refused),
        statuses=dict(sorted(Counter(str(s.status or "none") for s in samples).items())),
        errors=dict(Counter(s.error or f"status {s.status} without Retry-After" for s in failed).most_common()),
        intervals=_intervals(samples, seconds, pieces),
    )


def _latency(samples: Sequence[Sample]) -> Latency | None:
    if not samples:
        return None
    return Latency(*(float(q) for q in np.quantile([s.seconds for s in samples], (0.5, 0.9, 0.99, 1))))


def _intervals(samples: Sequence[Sample], seconds: float, pieces: int) -> list[Interval]:
    width = seconds / pieces
    # By when they ended: what a service gets done is seen at its output.
    groups: list[list[Sample]] = [[] for _ in range(pieces)]
    for sample in samples:
        groups[min(pieces - 1, int((sample.begun + sample.seconds) / width))].append(sample)
    intervals = []
    for number, group in enumerate(groups):
        latency = _latency([s for s in group if s.answered and not s.failed])
        intervals.append(
            Interval(
                begins=number * width,
                answered=sum(s.answered and not s.failed for s in group) / width,
                turned_away=sum(s.turned_away for s in group) / width,
                failed=sum(s.failed for s in group) / width,
                p50=latency.p50 if latency else None,
                p99=latency.p99 if latency else None,
            )
        )
    return intervals
