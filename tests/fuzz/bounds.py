"""What one input may cost, and how a worker holds itself to it."""

from __future__ import annotations

import resource
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Bounds", "forbid_more_memory", "peak_memory", "start_clocks", "stop_clocks"]

_STATUS: Final = Path("/proc/self/status")
_HARD_LIMIT: Final = 2 * 1024**3  # bytes that a worker may address beyond what it has loaded


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that reading one input may take.

    Attributes:
        cpu_seconds: Of processor time; what takes more hangs, however busy the machine is.
        wall_seconds: Of time, for what waits without computing.
        memory: Bytes by which the process's peak memory may grow.
    """

    cpu_seconds: float = 5.0
    wall_seconds: float = 120.0
    memory: int = 64 * 1024 * 1024


def start_clocks(bounds: Bounds) -> None:
    """Have the kernel end this process when an input takes too long, in native code too: no handler is in the way."""
    signal.setitimer(signal.ITIMER_PROF, bounds.cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, bounds.wall_seconds)


def stop_clocks() -> None:
    """Let this process live on."""
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)


def peak_memory() -> int:
    """Return the most memory in bytes that this process has had, on Linux; 0 elsewhere, where it is not measured.

    `getrusage` would tell that of the process that started this one, if it was larger.
    """
    if not _STATUS.exists():
        return 0
    return _read("VmHWM:")


def forbid_more_memory() -> None:
    """Let no input take so much memory that the machine suffers: beyond 2 GiB more there is a `MemoryError`."""
    if _STATUS.exists():
        most = _read("VmSize:") + _HARD_LIMIT
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _read(name: str) -> int:
    text = _STATUS.read_bytes()
    start = text.index(name.encode()) + len(name)
    return int(text[start : text.index(b"kB", start)]) * 1024
