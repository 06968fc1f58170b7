"""How a process of the service keeps its memory: what a photo needed is kept for the next one.

glibc gives large blocks back to the system as soon as they are freed, and for the next photo the system hands out pages
anew, each of which it must first fill with zeros: 3,000 of them at 12 megapixels (docs/performance.md).
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

__all__ = ["keep_freed_memory"]

_MIB: Final = 1024 * 1024
# Names and numbers are those of <malloc.h>; mallopt(3) explains them.
_TRIM_THRESHOLD: Final = (-1, 64 * _MIB)  # free memory kept, for each arena
_MMAP_THRESHOLD: Final = (-3, 32 * _MIB)  # larger blocks do go back at once: those of photos of 100 megapixels
_ARENA_MAX: Final = (-8, 2)  # threads share two arenas, so that no more than twice 64 MiB lie idle
_OWN_CHOICES: Final = ("GLIBC_TUNABLES", "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory of up to 32 MiB a block and 128 MiB in all.

    It concerns the whole process, so it is for programs, not for a library, and comes before any thread is started.

    Returns:
        Whether it was done: not where another C library is used, nor where the environment says how glibc is to
        behave (`GLIBC_TUNABLES`, `MALLOC_…`).
    """
    if any(name in os.environ for name in _OWN_CHOICES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not glibc; on Windows there is not even a library of no name
        return False
    done = [mallopt(*option) == 1 for option in (_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX)]
    return all(done)
