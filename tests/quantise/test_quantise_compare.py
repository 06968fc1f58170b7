"""How far answers moved, told by hand-made answers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the quantise extra")

from lesionlens.quantise.compare import Answer, compare, map_correlation


def answer(top: int, confidence: float = 0.65, heat: float = 1.0, prediction: int | None = None) -> Answer:
    probabilities = np.full(8, (1 - confidence) / 7, np.float32)
    probabilities[top] = confidence
    maps = heat * np.arange(8 * 4, dtype=np.float32).reshape(8, 2, 2)
    return Answer(probabilities, top if prediction is None else prediction, maps)


def test_the_same_answers_are_accepted() -> None:
    answers = [answer(i) for i in range(8)]
    found = compare(answers, answers, list(range(8)))
    assert (found.agreement, found.same_answer, found.map_correlation) == (1.0, 1.0, pytest.approx(1.0))
    assert (found.balanced_accuracy, found.drop, found.probability_change) == (1.0, 0.0, 0.0)
    assert found.failures == ()


def test_each_figure_is_what_it_says() -> None:
    before = [answer(0), answer(0), answer(1), answer(1)]
    after = [answer(0, 0.55), answer(1), answer(1, prediction=8), answer(1)]
    found = compare(before, after, [0, 0, 1, 1])
    assert found.pictures == 4
    assert found.agreement == 0.75
    assert found.same_answer == 0.5
    assert (found.balanced_accuracy_before, found.balanced_accuracy) == (1.0, 0.75)
    assert found.largest_change == pytest.approx(0.6, abs=1e-6)
    assert found.probability_change == pytest.approx((0.1 + 0.6) / 4, abs=1e-6)
    assert [words.split(" (")[0] for words in found.failures] == [
        "balanced accuracy fell by 25.00 points",
        "75.00% of the answers agree",
    ]


def test_other_heatmaps_fail() -> None:
    found = compare([answer(2)], [answer(2, heat=-1.0)], [2])
    assert found.map_correlation == pytest.approx(-1.0)
    assert "the heatmaps correlate by -1.000 (at least 0.95)" in found.failures


def test_empty_heatmaps() -> None:
    some, none = np.arange(4, dtype=np.float32), np.zeros(4, np.float32)
    assert map_correlation(none, none) == 1.0
    assert map_correlation(some, none) == map_correlation(none, some) == 0.0
    assert map_correlation(some, 3 * some + 2) == pytest.approx(1.0)


def test_unequal_numbers_are_told() -> None:
    with pytest.raises(ValueError, match="1 answers, 0 others and 1 labels"):
        compare([answer(0)], [], [0])
