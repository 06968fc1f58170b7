"""docs/change.md tells the truth: its code runs, its commands exist, and its thresholds are those that are used."""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path

import pytest

from drawn_lesions import ellipse, photograph
from lesionlens import DISCLAIMER
from lesionlens.tracker.change import Measures
from lesionlens.tracker.change.pixels import FITTED_FILE, load_stages
from lesionlens.tracker.change.quantities import QUANTITIES
from lesionlens.tracker.change.repeatability import CLEAR_FROM, FACTOR, threshold

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "change.md").read_text(encoding="utf-8")


def test_its_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    picture = photograph(ellipse((256, 256), (120, 136), (45, 35), 30.0))
    picture.save(tmp_path / "march.jpg")
    picture.save(tmp_path / "june.jpg")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "change.md", "exec"), {"__name__": "change"})
    assert DISCLAIMER in capsys.readouterr().out
    assert (tmp_path / "june-laid-on-march.png").is_file()


def test_every_command_names_a_part_that_is_there() -> None:
    sources = (ROOT / "benchmarks" / "change.py").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in re.findall(r"python (benchmarks/change\.py [^`\n]*)", PAGE)]
    assert {part for _, part, *_ in commands} == set(re.findall(r'^    "(\w+)": measure_', sources, re.MULTILINE))
    for _, _, *options in commands:
        assert set(options[::2]) <= {"--folds", "--pictures"}
        assert all(value.isdigit() for value in options[1::2])


def test_every_measure_that_it_lists_is_measured_and_none_is_left_out() -> None:
    section = PAGE.split("## Measures")[1].split("## ")[0]
    named = [n for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for n in re.findall(r"`(\w+)`", cell)]
    assert set(named) <= set(Measures.__dataclass_fields__)
    assert {q.name for q in QUANTITIES if q.name != "colour_count"} <= set(named)


def test_the_thresholds_that_it_prints_are_those_that_are_used() -> None:
    for quantity in QUANTITIES:
        shown = [_shown(threshold(quantity.name, clear), quantity.kind == "ratio") for clear in (True, False)]
        assert f"| `{quantity.name}` | {shown[0]} | {shown[1]} |" in PAGE
    assert f"{FACTOR.clear} and {FACTOR.unclear} times" in PAGE
    assert f"confidence of at least {CLEAR_FROM}" in PAGE


def _shown(value: float, ratio: bool) -> str:
    return f"{100 * math.expm1(value):.0f} %" if ratio else f"{value:.3g}"


def test_what_it_says_of_the_fitted_classifier_is_so() -> None:
    size = (ROOT / "src/lesionlens/tracker/change" / FITTED_FILE).stat().st_size
    assert f"{size / 1000:.0f} KB together" in PAGE
    about = load_stages().about
    assert '"lesions": 500' in about
    assert "fitted on 500 lesions of folds 2–4" in PAGE
    assert load_stages().first.weights[0].shape[1] == 64
    assert load_stages().first.weights[1].shape[1] == 32


def test_no_figure_is_missing() -> None:
    assert not re.search(r"@\w+@|TODO|XXX", PAGE)
