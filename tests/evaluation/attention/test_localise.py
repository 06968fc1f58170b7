"""From pictures to parts: right and wrong answers, diagnoses, baselines and intervals."""

from __future__ import annotations

import numpy as np
import pytest

from lesionlens.evaluation.attention.estimates import Means
from lesionlens.evaluation.attention.localise import Located, Locator, results_by_part

LESION = np.zeros((32, 32), dtype=bool)
LESION[8:24, 8:24] = True  # a quarter, in the middle
ON, BESIDE, COLD = LESION.astype(np.float32), (~LESION).astype(np.float32), np.zeros((32, 32), dtype=np.float32)


def located(name: int, label: int, answer: int, heat: np.ndarray, group: str | None = None) -> Located:
    return Located(
        image=f"ISIC_{name:07d}",
        group=group or str(name),
        label=label,
        answer=answer,
        confidence=0.7,
        has_heat=bool(heat.any()),
        scores=Locator(32).scores(heat, LESION),
    )


def test_scores_of_a_picture_beside_its_baselines() -> None:
    scores = Locator(32).scores(ON, LESION)
    assert scores["energy:heatmap"] == scores["pointing:heatmap"] == 1.0
    assert scores["energy:uniform"] == scores["pointing:uniform"] == 0.25
    assert scores["pointing:centre"] == 1.0
    assert 0.25 < scores["energy:centre"] < 1.0
    assert scores["pointing_tolerant:uniform"] > 0.25
    assert scores["displacement:right"] == scores["displacement:down"] == pytest.approx(0.0)


def test_parts_are_by_answer_and_by_diagnosis() -> None:
    rows = [located(0, 1, 1, ON), located(1, 1, 1, ON), located(2, 1, 0, BESIDE), located(3, 4, 4, ON)]
    parts = {p.key: p for p in results_by_part(rows, resamples=0, seed=0)}
    assert list(parts) == ["all", "correct", "wrong", "diagnosis:NV", "diagnosis:BKL"]
    assert {key: p.n for key, p in parts.items()} == {
        "all": 4,
        "correct": 3,
        "wrong": 1,
        "diagnosis:NV": 3,
        "diagnosis:BKL": 1,
    }
    assert parts["all"].pointing.heatmap.value == 0.75
    assert parts["correct"].pointing.heatmap.value == 1.0
    assert parts["wrong"].pointing.heatmap.value == 0.0
    assert parts["diagnosis:NV"].energy.heatmap.value == pytest.approx(2 / 3)
    assert parts["all"].energy.over_uniform.value == pytest.approx(3.0)  # 0.75 against a quarter
    assert parts["wrong"].energy.over_uniform.value == 0.0
    assert parts["all"].pointing.over_centre.value == 0.75


def test_a_part_without_pictures_is_left_out() -> None:
    assert [p.key for p in results_by_part([located(0, 1, 1, ON)], resamples=10, seed=0)] == [
        "all",
        "correct",
        "diagnosis:NV",
    ]


def test_pictures_without_heat_are_misses_but_are_displaced_nowhere() -> None:
    low = np.zeros((32, 32), dtype=np.float32)
    low[24:] = 1.0  # centre of mass 12 px below that of the lesion
    [whole, *_] = results_by_part([located(0, 1, 1, low), located(1, 1, 1, COLD)], resamples=0, seed=0)
    assert whole.pointing.heatmap.value == 0.0
    assert whole.displacement_down.value == pytest.approx(12 / 32)
    [cold, *_] = results_by_part([located(0, 1, 1, COLD)], resamples=0, seed=0)
    assert cold.displacement_down.value is None


def test_intervals_are_of_lesions() -> None:
    heats = [ON if lesion % 3 else BESIDE for lesion in range(30) for _ in range(10)]
    by_lesion = [located(i, 1, 1, heat, f"lesion {i // 10}") for i, heat in enumerate(heats)]
    by_photo = [located(i, 1, 1, heat) for i, heat in enumerate(heats)]

    def width(rows: list[Located]) -> float:
        estimate = results_by_part(rows, resamples=400, seed=0)[0].pointing.heatmap
        assert estimate.value == pytest.approx(2 / 3)
        assert estimate.low is not None
        assert estimate.high is not None
        return estimate.high - estimate.low

    assert width(by_lesion) == pytest.approx(np.sqrt(10) * width(by_photo), rel=0.25)


def test_means_quotients_and_differences() -> None:
    means = Means({"a": np.array([1.0, 3.0]), "b": np.array([4.0, 0.0]), "zero": np.zeros(2)}, ["x", "y"], 0, 0)
    assert means.mean("a").value == 2.0
    assert means.quotient("a", "b").value == 1.0  # of the means, not the mean of quotients
    assert means.difference("a", "b").value == 0.0
    assert means.quotient("a", "zero").value is None
    assert means.mean("a").low is None
