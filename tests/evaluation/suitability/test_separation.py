"""How well a score tells two sets of pictures apart."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lesionlens.evaluation.suitability.separation import MAX_RESAMPLES, Drawn, area, separation, share_above


def drawn(mean: float, n: int, per_group: int, resamples: int = 300) -> Drawn:
    scores = np.random.default_rng(n).normal(mean, 1, n // per_group).repeat(per_group)
    return Drawn(scores, [str(i // per_group) for i in range(len(scores))], resamples, seed=0)


def test_the_area_is_that_of_scikit_learn_and_inside_its_interval() -> None:
    low, high = drawn(0, 400, 1), drawn(1, 100, 1)
    found = separation(low, high)
    truth = [0] * 400 + [1] * 100
    assert found.value == pytest.approx(roc_auc_score(truth, np.concatenate([low.scores, high.scores])))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_crops_of_one_scene_count_as_one() -> None:
    low = drawn(0, 400, 1)
    alone, crops = separation(low, drawn(1, 100, 1)), separation(low, drawn(1, 100, 20))
    widths = [e.high - e.low for e in (alone, crops) if e.high is not None and e.low is not None]
    assert widths[1] > 1.5 * widths[0]


def test_without_resamples_there_is_no_interval() -> None:
    found = separation(drawn(0, 40, 1, resamples=0), drawn(1, 20, 1, resamples=0))
    assert found.low is found.high is None
    assert found.value == area(drawn(0, 40, 1).scores, drawn(1, 20, 1).scores)


def test_share_above_a_threshold() -> None:
    some = Drawn(np.array([0.0, 1.0, 2.0, 3.0]), ["a", "b", "c", "d"], 200, seed=0)
    whole = share_above(some, 1.0)
    assert whole.value == 0.5  # a score equal to the threshold is not above it
    assert whole.low is not None
    assert whole.low < 0.5
    part = share_above(some, 1.0, np.array([False, False, True, True]))
    assert (part.value, part.low) == (1.0, None)


def test_no_more_resamples_are_taken_than_memory_allows() -> None:
    assert Drawn(np.zeros(2), ["a", "b"], 5000, seed=0).weights.shape == (MAX_RESAMPLES, 2)
