"""Memory that was freed is taken again without asking the system for it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

# Counts the pages that the system hands out while blocks of 9 MB (a photo at half of 12 megapixels) come and go.
PROGRAM = """
import resource, sys, threading
import numpy as np
from lesionlens.api.allocator import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "keep" else None
faults = []
def work():
    for _ in range(5):
        blocks = [np.ones(9_000_000, np.uint8) for _ in range(4)]
        del blocks
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        blocks = [np.ones(9_000_000, np.uint8) for _ in range(4)]
        del blocks
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(kept, faults[0])
"""

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told what to keep")


def run(how: str, **environment: str) -> tuple[str, int]:
    """Return what was answered, and the pages handed out for 20 photos."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    program = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True, env=clean | environment
    )
    answer, faults = program.stdout.split()
    return answer, int(faults)


def test_freed_memory_is_taken_again() -> None:
    answer, kept = run("keep")
    assert answer == "True"
    _, given_back = run("leave")
    assert kept < 1000 < given_back  # four such blocks have 8,800 pages


def test_what_the_environment_says_holds() -> None:
    answer, _ = run("keep", MALLOC_ARENA_MAX="8")
    assert answer == "False"
