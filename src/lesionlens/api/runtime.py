"""How the process itself is: whether its event loop keeps up, and what the garbage collector does."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter

if TYPE_CHECKING:
    from lesionlens.api.metrics import Metrics

__all__ = ["GarbageCounters", "watch_event_loop"]

_PERIOD: Final = 0.25  # seconds; short enough to meet a pause of a few tenths, and four wake-ups a second cost nothing


class GarbageCounters:
    """Counts what Python's garbage collector did, by generation.

    The names are those of prometheus_client's own collector, which knows of one process only.

    Args:
        registry: Where the counters go.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counters = {
            "collections": Counter(
                "python_gc_collections", "Times that a generation was collected", ["generation"], registry=registry
            ),
            "collected": Counter(
                "python_gc_objects_collected", "Objects freed by the collector", ["generation"], registry=registry
            ),
            "uncollectable": Counter(
                "python_gc_objects_uncollectable", "Objects that it could not free", ["generation"], registry=registry
            ),
        }
        self._told = [dict.fromkeys(self._counters, 0) for _ in gc.get_stats()]

    def refresh(self) -> None:
        """Add what happened since the last call.

        The interpreter's own callbacks (`gc.callbacks`) would be sooner, but they come in the middle of anything, also
        of a metric that is being written and whose lock is held.
        """
        for generation, (told, stats) in enumerate(zip(self._told, gc.get_stats(), strict=True)):
            for name, counter in self._counters.items():
                counter.labels(str(generation)).inc(stats[name] - told[name])
                told[name] = stats[name]


async def watch_event_loop(metrics: Metrics) -> None:
    """Measure how late the event loop wakes up a timer, until cancelled.

    Whatever blocks the loop delays every request by as much, and the sum of the delays over a time is the share of it
    that the loop was not there for anybody.

    Args:
        metrics: Gets the delays in `loop_lag`; its gauges are refreshed on the way.
    """
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _PERIOD
        await asyncio.sleep(_PERIOD)
        metrics.loop_lag.observe(max(0.0, loop.time() - due))
        metrics.refresh()
