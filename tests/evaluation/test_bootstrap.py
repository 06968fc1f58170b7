"""Intervals: of lesions, not of photos; repeatable; silent where they would mislead."""

from __future__ import annotations

import numpy as np
import pytest
from made_predictions import made, one_hot

from lesionlens.errors import DataError
from lesionlens.evaluation import Predictions, evaluate
from lesionlens.evaluation.bootstrap import interval, resample_weights


def width(predictions: Predictions) -> float:
    accuracy = evaluate(predictions, resamples=400).slices[0].accuracy
    assert accuracy.low is not None
    assert accuracy.high is not None
    return accuracy.high - accuracy.low


def test_photos_of_one_lesion_are_drawn_together() -> None:
    groups = ["a", "a", "b", "c", "c", "c"]
    weights = np.concatenate(list(resample_weights(groups, 50, seed=0)))
    assert weights.shape == (50, 6)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 3] == weights[:, 5]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_drawing_photos_would_make_intervals_too_narrow() -> None:
    # Ten photos of each of 30 lesions, all ten right or all ten wrong: there are 30 facts here, not 300.
    lesions = np.random.default_rng(1).choice(2, 30)
    answers = np.repeat(lesions, 10).tolist()
    by_lesion = made([1] * 300, one_hot(answers), groups=[str(i // 10) for i in range(300)])
    by_photo = made([1] * 300, one_hot(answers))
    assert width(by_lesion) == pytest.approx(np.sqrt(10) * width(by_photo), rel=0.25)


def test_the_interval_of_a_share_is_that_of_theory() -> None:
    right = np.arange(400) % 4 > 0  # 75 %
    expected = 2 * 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert width(made([1] * 400, one_hot(right.astype(int).tolist()))) == pytest.approx(expected, rel=0.15)


def test_equal_seeds_give_equal_results(mixed: Predictions) -> None:
    assert evaluate(mixed, resamples=30, seed=4) == evaluate(mixed, resamples=30, seed=4)
    assert evaluate(mixed, resamples=30, seed=4) != evaluate(mixed, resamples=30, seed=5)


def test_blocks_do_not_change_the_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [str(i // 2) for i in range(40)]
    whole = list(resample_weights(groups, 20, seed=0))
    monkeypatch.setattr("lesionlens.evaluation.bootstrap._BLOCK_CELLS", 120)
    blocks = list(resample_weights(groups, 20, seed=0))
    assert len(whole) == 1
    assert len(blocks) == 7
    assert np.array_equal(whole[0], np.concatenate(blocks))


def test_figures_lie_within_their_intervals(mixed: Predictions) -> None:
    for part in evaluate(mixed, resamples=200).slices:
        for estimate in (part.balanced_accuracy, part.malignant_auc, part.macro_f1, part.answered, part.brier):
            assert estimate.value is not None
            assert estimate.low is not None
            assert estimate.high is not None
            assert estimate.low < estimate.value < estimate.high


def test_there_is_no_interval_where_it_would_mislead() -> None:
    undefined = np.full(100, np.nan)
    undefined[:90] = np.arange(90)
    assert interval(undefined) is None
    assert interval(np.zeros(0)) is None
    assert interval(np.zeros(100)) is None  # 0 of 3 recognised, in every resample
    assert interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))


def test_without_resamples_there_are_no_intervals(mixed: Predictions) -> None:
    accuracy = evaluate(mixed, resamples=0).slices[0].accuracy
    assert accuracy.value is not None
    assert accuracy.low is None


@pytest.mark.parametrize("resamples", [-1, 100_001])
def test_the_number_of_resamples_is_checked(mixed: Predictions, resamples: int) -> None:
    with pytest.raises(DataError, match="must be 0–100000"):
        evaluate(mixed, resamples=resamples)
