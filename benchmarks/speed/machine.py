"""What the figures were measured on, and whether it had nothing else to do."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import psutil

from lesionlens import __version__
from lesionlens.inference.threads import usable_cpus

__all__ = ["IDLE", "Watch", "busy_share", "describe", "instructions", "measuring", "others"]

IDLE: Final = 0.05
"""Share of all cores that others may use while something is measured."""

_PACKAGES: Final = (
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "torch",
    "timm",
    "flask",
    "werkzeug",
    "uvicorn",
    "fastapi",
    "pillow",
    "numpy",
)
_CPU_FLAGS: Final = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_bf16", "amx_int8")


def describe() -> dict[str, str]:
    """Return what somebody must know of the machine who measures the same elsewhere: names and values as text."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    fields = _processor()
    return {
        "processor": fields.get("model name", platform.machine()),
        "instructions": " ".join(flag for flag in _CPU_FLAGS if flag in instructions()) or "unknown",
        "cores": f"{usable_cpus()} usable of {os.cpu_count()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, {platform.libc_ver()[0]} {platform.libc_ver()[1]}",
        "python": platform.python_version(),
        "lesionlens": __version__,
        **versions,
    }


def instructions() -> frozenset[str]:
    """Return the instruction sets of the processor, as Linux names them; none where it cannot be asked."""
    return frozenset(_processor().get("flags", "").split())


def busy_share(seconds: float = 3.0) -> float:
    """Return the share of all cores, 0–1, that programs use while nothing is measured.

    The load average is no use for it: it still tells of what ended a minute ago.

    Args:
        seconds: For how long to look.
    """
    return float(psutil.cpu_percent(seconds)) / 100.0


def others() -> str | None:
    """Return a warning if programs use more of this machine than `IDLE`; None if it is idle."""
    share = busy_share()
    return f"others use {share:.0%} of the machine: these figures would be worthless" if share > IDLE else None


@contextmanager
def measuring(*, go_on: bool) -> Iterator[None]:
    """Print what the machine is, and at the end how long the block took and how much others used meanwhile.

    Args:
        go_on: Measure though the machine is not idle, as `--busy` asks for.

    Raises:
        SystemExit: The machine is not idle, and nobody asked to go on.
    """
    if (warning := others()) is not None and not go_on:
        sys.exit(f"{warning} (--busy goes on all the same)")
    print(", ".join(f"{name} {value}" for name, value in describe().items()))
    watch, begun, own = Watch(), time.perf_counter(), _own_seconds()
    yield
    share = watch.foreign_share(_own_seconds() - own)
    note = "" if share <= IDLE else ": **times on the clock are worthless**"
    print(f"\nTook {time.perf_counter() - begun:.0f} s; others used {share:.0%} of the machine meanwhile{note}.")


class Watch:
    """Sees how much of the machine others use while something is measured.

    Example:
        >>> watch = Watch()
        >>> 0.0 <= watch.foreign_share(own_seconds=0.0) <= 1.0
        True
    """

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._busy = _busy_seconds()

    def foreign_share(self, own_seconds: float) -> float:
        """Return the share of all cores, 0–1, that others have used since the beginning.

        Args:
            own_seconds: Processor time that the measured programs and this one have used since then.
        """
        elapsed = (time.perf_counter() - self._begun) * (os.cpu_count() or 1)
        others = _busy_seconds() - self._busy - own_seconds
        return min(1.0, max(0.0, others / elapsed)) if elapsed > 0 else 0.0


def _own_seconds() -> float:
    """Return the processor time of this program and of those that it started and saw the end of."""
    return sum(os.times()[:4])


def _busy_seconds() -> float:
    """Return the processor time used since the machine started, by all programs; stolen time counts as used."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Linux counts the time of guests in that of `user` and `nice` as well.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - idle - guests)


def _processor() -> dict[str, str]:
    """Return what Linux tells of the last of its processors; nothing elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    fields = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in fields}
