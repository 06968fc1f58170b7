"""How many CPUs this process may use, and whether their time is rationed."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["cpu_quota", "usable_cpus"]

_MEMBERSHIP: Final = Path("/proc/self/cgroup")
_HIERARCHIES: Final = Path("/sys/fs/cgroup")


def usable_cpus(membership: Path = _MEMBERSHIP, hierarchies: Path = _HIERARCHIES) -> int:
    """Return the number of CPUs that this process may use, at least 1.

    A container or service with a CPU quota still sees all CPUs of its host; as many threads as those would spend their
    time being throttled.

    Args:
        membership: The file that names the control groups of this process.
        hierarchies: The folder where control groups are mounted.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    quota = cpu_quota(membership, hierarchies)
    return max(1, cpus if quota is None else min(cpus, math.ceil(quota)))


def cpu_quota(membership: Path = _MEMBERSHIP, hierarchies: Path = _HIERARCHIES) -> float | None:
    """Return how many CPUs' worth of time this process is allowed; None where it is not rationed.

    The tightest quota of its control group and of those that this one lies in counts. Version 2 (`cpu.max`) and
    version 1 (`cpu.cfs_quota_us`) are read; both are described in the kernel's admin-guide, `cgroup-v2.rst` and
    `cgroup-v1/`, and in `scheduler/sched-bwc.rst`.

    Args:
        membership: The file that names the control groups of this process.
        hierarchies: The folder where control groups are mounted.
    """
    quotas = [quota for folder in _folders(membership, hierarchies) if (quota := _quota_of(folder)) is not None]
    return min(quotas, default=None)


def _folders(membership: Path, hierarchies: Path) -> Iterator[Path]:
    """Yield the folders that a quota may lie in; inside a container most of them do not exist."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":  # version 2 has one hierarchy for all controllers
            root = hierarchies
        elif "cpu" in controllers.split(","):
            root = hierarchies / controllers
        else:
            continue
        folder = root / path.lstrip("/")
        yield folder
        yield from (parent for parent in folder.parents if parent.is_relative_to(root))
        if root != hierarchies:
            yield hierarchies / "cpu"  # a link to the mount of several controllers together


def _quota_of(folder: Path) -> float | None:
    """Return the quota that one control group sets in CPUs; None if it sets none."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if not quota.isdecimal() or not period.isdecimal():  # `max` and -1 say that there is none
        return None
    return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else None
