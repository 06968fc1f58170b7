"""Damaged forms and damaged files to import do no harm; `python -m fuzz --target form` and `archive` send more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fuzz.campaign import run
from fuzz.targets import TARGETS, find_target

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bounds are kept with Linux's timers and /proc")


@pytest.mark.parametrize(
    ("target", "inputs", "outcomes"),
    [("form", 400, {"photo", "missing-file"}), ("archive", 40, {"imported", "in part", "refused"})],
)
def test_damaged_ones_do_no_harm(target: str, inputs: int, outcomes: set[str], tmp_path: Path) -> None:
    report = run(target, 0, inputs, save=tmp_path)
    assert report.findings == [], report.findings
    assert report.inputs == inputs
    assert set(report.outcomes) >= outcomes


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_number_makes_the_same_input_again(target: str) -> None:
    first, again = (find_target(target).make(11) for _ in range(2))
    assert first == again
    assert first.data != find_target(target).make(12).data
