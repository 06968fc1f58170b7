"""Calibration error, Brier score and the risk–coverage curve."""

from __future__ import annotations

import numpy as np
import pytest
from made_predictions import made

from lesionlens.evaluation import evaluate
from lesionlens.evaluation.calibration import (
    bin_of,
    brier_terms,
    coverage_curve,
    expected_calibration_error,
    reliability_bins,
)


def ece(confidence: np.ndarray, correct: np.ndarray) -> float:
    return float(expected_calibration_error(np.ones((1, len(confidence))), confidence, correct)[0])


def test_a_perfectly_calibrated_model_has_next_to_no_error() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=2.0, size=(20_000, 8))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (probabilities.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    assert ece(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels) < 0.01


def test_an_overconfident_model_has_the_error_it_should() -> None:
    confidence = np.full(1000, 0.9)
    assert ece(confidence, np.arange(1000) < 600) == pytest.approx(0.3)


def test_the_error_worked_out_by_hand() -> None:
    # Bin (6/15, 7/15]: 0.45 and 0.46, one right. Bin (14/15, 1]: 0.95 wrong. ⅔·|½ − 0.455| + ⅓·0.95
    confidence = np.array([0.45, 0.46, 0.95])
    assert ece(confidence, np.array([True, False, False])) == pytest.approx(2 / 3 * 0.045 + 1 / 3 * 0.95)


def test_bins_hold_their_upper_edge() -> None:
    assert bin_of(np.array([0.0, 0.01, 1 / 15, 0.5, 1.0])).tolist() == [0, 0, 0, 7, 14]


def test_empty_bins_say_so() -> None:
    bins = reliability_bins(np.array([0.99, 0.97]), np.array([True, False]))
    assert [b.count for b in bins] == [0] * 14 + [2]
    assert bins[0].accuracy is None
    assert bins[14].accuracy == 0.5
    assert bins[14].confidence == pytest.approx(0.98)


def test_brier_score_of_known_answers() -> None:
    certain, uniform = np.eye(8)[[0]], np.full((1, 8), 1 / 8)
    assert brier_terms(certain, np.array([0]))[0] == 0.0
    assert brier_terms(certain, np.array([1]))[0] == 2.0
    assert brier_terms(uniform, np.array([3]))[0] == pytest.approx(0.875)


def test_coverage_falls_as_the_threshold_rises() -> None:
    curve = coverage_curve(np.array([0.3, 0.5, 0.9, 0.9]), np.array([False, False, True, True]))
    at = {round(p.threshold, 2): p for p in curve}
    assert (at[0.0].answered, at[0.0].accuracy) == (1.0, 0.5)
    assert (at[0.5].answered, at[0.5].accuracy) == (0.75, pytest.approx(2 / 3))
    assert (at[0.9].answered, at[0.9].accuracy) == (0.5, 1.0)
    assert (at[1.0].answered, at[1.0].accuracy) == (0.0, None)


def test_the_models_own_rule_is_reported() -> None:
    logits = np.zeros((4, 8))
    logits[0, 0] = logits[1, 1] = 9.0  # sure and right; sure and wrong; two that do not know
    result = evaluate(made([0, 0, 0, 0], logits), resamples=0).slices[0]
    assert result.answered.value == 0.5
    assert result.answered_accuracy.value == 0.5
    nothing = evaluate(made([0, 1], np.zeros((2, 8))), resamples=0).slices[0]
    assert nothing.answered.value == 0.0
    assert nothing.answered_accuracy.value is None
