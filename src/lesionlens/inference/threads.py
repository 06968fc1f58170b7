"""How many CPUs this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["usable_cpus"]


def usable_cpus(cgroup: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return the number of CPUs that this process may use, at least 1.

    A container with a CPU quota still sees all CPUs of its host; as many threads as those would spend their time being
    throttled. The quota is read from cgroup v2 (`cpu.max`: quota and period in microseconds).

    Args:
        cgroup: The file with the quota.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    try:
        quota, period = cgroup.read_text().split()
        if quota != "max":
            cpus = min(cpus, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass  # no cgroup v2 here: the affinity alone decides
    return max(1, cpus)
