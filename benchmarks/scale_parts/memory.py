"""How much memory a Ray cluster of this machine takes while it works."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Final

import psutil

__all__ = ["ClusterMemory", "sampled"]

_EVERY: Final = 1.0  # seconds


@dataclass(slots=True)
class ClusterMemory:
    """Proportional set sizes (PSS, bytes) in the order in which they were sampled.

    Attributes:
        workers: All processes of actors and tasks together.
        largest: The largest of them.
        rest: Ray's own processes: the scheduler, the store of objects, the dashboard's agents.
        driver: This program, with the listing, the results and the benchmark itself.
    """

    workers: list[int] = field(default_factory=list)
    largest: list[int] = field(default_factory=list)
    rest: list[int] = field(default_factory=list)
    driver: list[int] = field(default_factory=list)

    def growth(self) -> int:
        """Return by how many bytes the workers' memory grew from the middle third of the run to the last (medians)."""
        third = max(1, len(self.workers) // 3)
        return int(median(self.workers[-third:]) - median(self.workers[-2 * third :][:third]))


@contextlib.contextmanager
def sampled() -> Iterator[ClusterMemory]:
    """Sample the memory of this program and of the Ray processes below it for the length of a `with` block."""
    memory, ended = ClusterMemory(), threading.Event()

    def sample() -> None:
        while not ended.wait(_EVERY):
            workers, rest = [], 0
            me = psutil.Process()
            for process in me.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    bytes_ = process.memory_full_info().pss
                    if (process.cmdline() or [""])[0].startswith("ray::"):
                        workers.append(bytes_)
                    else:
                        rest += bytes_
            if workers:
                memory.workers.append(sum(workers))
                memory.largest.append(max(workers))
                memory.rest.append(rest)
                memory.driver.append(me.memory_full_info().pss)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()
