"""`benchmarks/concurrency.py` in short: it measures a real service, and picks the level for an autoscaler."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


def test_it_measures_a_service(repo_root: Path) -> None:
    command = [sys.executable, "benchmarks/concurrency.py", "--levels", "2,1", "--seconds", "2"]
    done = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if re.fullmatch(r"\s*\d+ +[\d.]+( +[\d,]+){3}\s*", line)]
    assert [int(row[0]) for row in rows] == [1, 2]
    assert all(float(row[1]) > 0 for row in rows)
    assert re.search(r"Optimum: [12] requests at once", done.stdout)


def test_the_optimum_is_the_fewest_with_nearly_all_of_the_throughput(
    repo_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(repo_root / "benchmarks"))
    from concurrency import optimum

    assert optimum({1: 20.0, 2: 28.0, 4: 29.6, 8: 30.0, 16: 31.0}) == 4
    assert optimum({1: 20.0, 2: 18.0}) == 1
    assert optimum({8: 5.0}) == 8
