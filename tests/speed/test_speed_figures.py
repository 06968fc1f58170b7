"""The speed benchmark's figures: ratios within a round, targets held, one table that says all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Speed = Callable[[str], ModuleType]


@pytest.fixture
def figures(speed: Speed) -> dict[str, Any]:
    measured = speed("rounds").Measured(
        small={"naive": [2.0, 4.0, 2.2], "lesionlens": [0.1, 0.2, 0.1], "openvino": [0.2, 0.2, 0.2]},
        large={"naive": [2.3, 4.3, 2.4], "lesionlens": [0.13, 0.25, 0.12], "openvino": [0.3, 0.3, 0.3]},
        bare={"lesionlens": [0.09, 0.18, 0.08], "openvino": [0.1, 0.1, 0.1]},
        throughput={"naive": [0.5, 0.5], "lesionlens": [8.0, 6.0], "openvino": [5.0, 4.0]},
    )
    starts = speed("figures").Starts([2.0, 4.0, 2.5], [1.0], [6.0], memory=600.0, memory_rss=640.0, naive_memory=1800.0)
    found: dict[str, Any] = speed("figures").summarise(measured, starts)
    return found


def test_ratios_are_taken_within_a_round(figures: dict[str, Any]) -> None:
    ratio = figures["latency_ratio"]
    assert ratio.value == pytest.approx(20.0)  # the second round was half as quick for both
    assert (ratio.low, ratio.high, ratio.rounds) == (pytest.approx(20.0), pytest.approx(22.0), 3)
    assert figures["throughput_ratio"].value == pytest.approx(14.0)
    assert figures["openvino.latency_ratio"].value == pytest.approx(11.0)


def test_what_a_large_photo_adds_and_what_is_not_the_network(figures: dict[str, Any]) -> None:
    assert figures["large_photo_ms"].value == pytest.approx(30.0)
    assert figures["overhead_percent"].value == pytest.approx(10.0)
    assert figures["openvino.overhead_percent"].value == pytest.approx(50.0)


def test_only_the_targets_that_were_not_reached_are_missed(speed: Speed, figures: dict[str, Any]) -> None:
    assert [target.figure for target in speed("figures").missed(figures)] == ["throughput_ratio"]


def test_every_target_is_about_a_figure_of_the_table(speed: Speed, figures: dict[str, Any]) -> None:
    judged = {row[-1] for row in speed("table")._ROWS}
    for target in speed("targets").TARGETS:
        assert target.figure in figures
        assert target.figure in judged


def test_the_table_says_what_was_met_and_what_was_missed(speed: Speed, figures: dict[str, Any]) -> None:
    engines = {"lesionlens": "onnxruntime fp32, 2 threads", "openvino": "openvino fp32, 2 threads"}
    text = speed("table").markdown(
        figures, engines, {"cores": "2"}, {"decode": 4.2}, ["a remark"], speed("plan").PLANS["quick"]
    )
    lines = text.splitlines()
    [latency] = [line for line in lines if "median of `/predict`, one client, 600 × 450" in line]
    assert "2200 (2000–4000) ms" in latency
    assert "100 (100–200) ms" in latency
    assert "**20.0 (20.0–22.0)×**" in latency
    assert latency.endswith("≥ 15: met |")
    [load] = [line for line in lines if "at 8 clients" in line]
    assert load.endswith("≥ 15: **missed** |")
    assert "| decode | 4.2 |" in lines
    assert "- a remark" in lines
    widths = {line.count("|") for line in lines if line.startswith("| ") and "EfficientNet" not in line}
    assert widths <= {3, 6, 8}  # every row has as many cells as the head of its table


def test_the_results_have_their_place_in_the_page(speed: Speed, repo_root: Path) -> None:
    put_into = speed("table").put_into
    page = (repo_root / "docs" / "performance.md").read_text(encoding="utf-8")
    once = put_into(page, "| a | b |\n")
    assert "| a | b |" in once
    assert put_into(put_into(page, "| other |\n"), "| a | b |\n") == once
    with pytest.raises(ValueError, match="no place"):
        put_into("# A page\n", "| a |\n")


def test_the_full_form_takes_longer_than_the_quick_one_which_takes_minutes(speed: Speed) -> None:
    plans = speed("plan").PLANS
    smoke, quick, full = (plans[name].seconds(naive=1.9, ours=0.19, engines=3) for name in ("smoke", "quick", "full"))
    assert smoke < quick < 240 < full < 3600  # a minute of the five goes to starts and comparisons
