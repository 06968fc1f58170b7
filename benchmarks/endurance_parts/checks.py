"""What must hold after a long load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from endurance_parts.service import Memory
from lesionlens.loadtest.summary import Summary

__all__ = ["Check", "check_answers", "check_latency", "check_memory", "growth", "slope"]

MEGABYTE: Final = 1024 * 1024
_ENDS: Final = 0.1
_FEWEST: Final = 3
SLACK: Final = 1.5
"""An answer waits for those before it: the queue's length times the time that an answer takes. Photos come in batches
of several sizes, uploads are read before the queue, and the clients share the CPUs: so much is allowed on top."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold.

    Attributes:
        what: What.
        measured: The figure, in words.
        bound: What it may be, in words.
        holds: Whether it is.
    """

    what: str
    measured: str
    bound: str
    holds: bool


def check_answers(summary: Summary) -> Check:
    """Look for failures: everything but a right answer and a refusal in good order.

    Args:
        summary: Of the load.
    """
    failed = "; ".join(f"{count} × {error}" for error, count in list(summary.errors.items())[:3])
    return Check(
        "wrong answers and undocumented errors",
        f"{summary.failed} of {summary.requests:,}" + (f" ({failed})" if failed else ""),
        "0",
        summary.failed == 0 and summary.answered > 0,
    )


def check_latency(summary: Summary, queue_size: int) -> Check:
    """Compare the 99 % quantile of the answers' times with what the length of the queue allows.

    Args:
        summary: Of the load.
        queue_size: Most photos in the service at once.
    """
    if summary.latency is None:
        return Check("99 % of the answers within", "no answer", "", holds=False)
    service_time = 1 / summary.per_second
    bound = SLACK * queue_size * service_time
    return Check(
        "99 % of the answers within",
        f"{summary.latency.p99:.2f} s",
        f"{bound:.2f} s = {SLACK} × {queue_size} × {1000 * service_time:.1f} ms an answer",
        summary.latency.p99 <= bound,
    )


def growth(memory: Memory) -> float:
    """Return by how many bytes the memory has grown: median of the last tenth less that of the first; 0 without any."""
    if not memory.bytes:
        return 0.0
    part = max(1, round(_ENDS * len(memory.bytes)))
    return float(np.median(memory.bytes[-part:]) - np.median(memory.bytes[:part]))


def slope(memory: Memory) -> float:
    """Return the growth in bytes per request, by least squares over all samples; 0 while nothing was answered."""
    if len(set(memory.answered)) < 2:
        return 0.0
    return float(np.polyfit(memory.answered, memory.bytes, 1)[0])


def check_memory(memory: Memory, most: float) -> Check:
    """Bound the growth.

    Args:
        memory: Sampled under load, after a warm-up.
        most: Bytes.
    """
    grown, requests = growth(memory), max(memory.answered, default=0)
    return Check(
        f"growth of memory over {requests:,} requests",
        f"{grown / MEGABYTE:+.1f} MB ({slope(memory) * 1000 / MEGABYTE:+.2f} MB per 1,000 requests)",
        f"{most / MEGABYTE:.0f} MB",
        len(memory.bytes) >= _FEWEST and grown <= most,
    )


def curve(memory: Memory, points: int = 10) -> Sequence[tuple[int, float]]:
    """Return a few points of the curve: requests answered, and megabytes."""
    chosen = np.linspace(0, len(memory.bytes) - 1, min(points, len(memory.bytes))).round().astype(int)
    return [(memory.answered[i], memory.bytes[i] / MEGABYTE) for i in chosen]
