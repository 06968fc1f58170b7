"""Nothing is judged on a lesion that it was fitted on, and small differences are not taken for facts."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import held

from lesionlens.calibration.crossfit import Held, crossfit, folds_of, gain, reliability
from lesionlens.calibration.scaling import Scaling, fit_temperature, negative_log_likelihoods


def test_no_lesion_is_in_two_folds_and_every_diagnosis_is_spread() -> None:
    pictures = held(400, most_pictures=4)
    folds = folds_of(pictures)
    assert folds is not None
    assert np.array_equal(folds, folds_of(pictures)), "the split is repeatable"
    for lesion in np.unique(pictures.groups):
        assert len(set(folds[pictures.groups == lesion])) == 1
    for k in (0, 1, 2):
        shares = np.bincount(folds[pictures.labels == k], minlength=5) / (pictures.labels == k).sum()
        assert shares.min() > 0.1


def test_few_lesions_are_split_as_far_as_they_go() -> None:
    assert set(folds_of(held(3, most_pictures=2))) == {0, 1, 2}  # type: ignore[arg-type]
    one = Held(np.zeros((4, 8), np.float32), np.zeros(4, np.int64), np.array(["a"] * 4))
    assert folds_of(one) is None


def test_a_picture_is_judged_by_a_fit_that_did_not_see_its_lesion() -> None:
    pictures = held(60, most_pictures=3)
    folds = folds_of(pictures)
    assert folds is not None
    seen: list[set[str]] = []

    def remember(logits: np.ndarray, labels: np.ndarray) -> Scaling:
        rows = [int(np.flatnonzero((pictures.logits == row).all(axis=1))[0]) for row in logits]
        seen.append(set(pictures.groups[rows]))
        return Scaling(float(len(seen)))  # each fit leaves its mark on what it judges

    judged = crossfit(pictures, folds, remember)
    for number, lesions in enumerate(seen, start=1):
        by_this = np.isclose(judged.probabilities, Scaling(float(number)).probabilities(pictures.logits)).all(axis=1)
        assert by_this.any()
        assert not lesions & set(pictures.groups[by_this])
    np.testing.assert_allclose(
        judged.nll[folds == 0], negative_log_likelihoods(pictures.logits, pictures.labels, Scaling(1.0))[folds == 0]
    )


def test_the_standard_error_is_that_of_lesions() -> None:
    rng = np.random.default_rng(0)
    by_lesion = rng.normal(0.1, 1.0, 500)
    difference, groups = np.repeat(by_lesion, 4), np.repeat(np.arange(500), 4).astype(np.str_)
    mean, error = gain(difference, np.zeros(2000), groups)
    assert mean == pytest.approx(by_lesion.mean())
    assert error == pytest.approx(by_lesion.std(ddof=1) / np.sqrt(500), rel=1e-6)
    _, by_picture = gain(difference, np.zeros(2000), np.arange(2000).astype(np.str_))
    assert error == pytest.approx(2 * by_picture, rel=1e-2), "four alike pictures are one fact"


def test_reliability_is_told_by_likelihood_and_calibration_error() -> None:
    pictures = held(20_000, temperature=2.0)
    raw, fitted = Scaling(), fit_temperature(pictures.logits, pictures.labels)
    figures = [
        reliability(
            s.probabilities(pictures.logits),
            pictures.labels,
            negative_log_likelihoods(pictures.logits, pictures.labels, s),
        )
        for s in (raw, fitted)
    ]
    assert figures[0].ece > 0.1 > 0.02 > figures[1].ece
    assert figures[0].nll > figures[1].nll
