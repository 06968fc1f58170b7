"""Metrics of several worker processes as one: what the supervisor does for it, and what a scrape reads.

Worker processes share a socket, so that a scrape reaches any one of them; what it is told must be the sum over all.
prometheus_client does that by files in a folder that all processes share, if `PROMETHEUS_MULTIPROC_DIR` names it when
the package is imported. Counters of a worker that has ended stay in the sum, so that none ever falls; its gauges go.
What those files cannot hold is read at each scrape: memory and CPU of the workers from `/proc`, and the number of
replaced workers from a file that the supervisor writes.

Nothing of prometheus_client is imported here until it is used, so that a supervisor can set the variable first.
"""

from __future__ import annotations

import json
import logging
import operator
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

__all__ = ["RESTARTS_HELP", "RestartReason", "SharedMetrics", "shared_folder", "shared_registry"]

RestartReason = Literal["died", "stuck"]
"""Why a worker was replaced: it ended by itself, or it computed no more."""

RESTARTS_HELP: Final = "Workers replaced because they ended or hung"

_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_RESTARTS: Final = "restarts.json"


class SharedMetrics:
    """The folder through which workers share their metrics. It belongs to the supervisor.

    Args:
        folder: An empty folder that only this user can read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._restarts: dict[str, int] = dict.fromkeys(get_args(RestartReason), 0)
        self._write()

    @classmethod
    def create(cls) -> SharedMetrics:
        """Make the folder among the temporary files; the files in it are small and fixed in number per worker."""
        return cls(Path(tempfile.mkdtemp(prefix="lesionlens-metrics-")))

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that a worker must have before it imports prometheus_client."""
        return {_VARIABLE: str(self.folder)}

    def worker_ended(self, pid: int) -> None:
        """Take the gauges of a worker out of the sums.

        Args:
            pid: The process that has ended.
        """
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid, str(self.folder))  # type: ignore[no-untyped-call]

    def count_restart(self, reason: RestartReason) -> None:
        """Count a worker that was replaced without having been asked to end."""
        self._restarts[reason] += 1
        try:
            self._write()
        except OSError as error:  # a full disk, or a folder that somebody cleared away: workers matter more than counts
            logging.getLogger("lesionlens.supervisor").warning("a replaced worker is not counted: %s", error)

    def close(self) -> None:
        """Remove the folder; the workers must have ended."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        new = self.folder / f"{_RESTARTS}.new"
        new.write_text(json.dumps(self._restarts), encoding="utf-8")
        new.replace(self.folder / _RESTARTS)  # at once, so that no scrape reads half of it


def shared_folder() -> Path | None:
    """Return the folder through which this process shares its metrics; None if it serves alone."""
    value = os.environ.get(_VARIABLE)
    return Path(value) if value else None


def shared_registry(folder: Path) -> CollectorRegistry:
    """Return a registry that tells the metrics of all workers as they are now.

    Args:
        folder: The one that they share.
    """
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    registry.register(_Processes(folder))
    return registry


class _Processes:
    """What the kernel and the supervisor know of the workers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def describe(self) -> Iterable[Metric]:
        """Name nothing ahead: no other collector of this registry has these names."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Sum over the live workers; of their starts, the earliest."""
        from prometheus_client import ProcessCollector
        from prometheus_client.metrics_core import CounterMetricFamily

        families: dict[str, Metric] = {}
        for pid in self._workers():
            for family in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                if family.name not in families:
                    families[family.name] = family
                    continue
                known = families[family.name].samples
                choose: Callable[[float, float], float] = (
                    min if family.name == "process_start_time_seconds" else operator.add
                )
                known[:] = [
                    a._replace(value=choose(a.value, b.value)) for a, b in zip(known, family.samples, strict=True)
                ]
        yield from families.values()
        restarts = CounterMetricFamily("lesionlens_worker_restarts", RESTARTS_HELP, labels=["reason"])
        for reason, count in self._restarts().items():
            restarts.add_metric([reason], count)
        yield restarts

    def _workers(self) -> list[int]:
        """Return the processes that have gauges: those that the supervisor has not counted out."""
        return sorted({int(file.stem.rpartition("_")[2]) for file in self._folder.glob("gauge_live*.db")})

    def _restarts(self) -> dict[str, int]:
        try:
            counts: dict[str, int] = json.loads((self._folder / _RESTARTS).read_text(encoding="utf-8"))
        except FileNotFoundError:  # another supervisor than ours; it counts nothing
            return dict.fromkeys(get_args(RestartReason), 0)
        return counts
