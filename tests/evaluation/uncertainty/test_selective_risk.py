"""Areas under risk–coverage curves, against values worked out by hand and against the formula of the paper."""

from __future__ import annotations

import numpy as np
import pytest
from made_predictions import made
from sklearn.metrics import roc_auc_score

from lesionlens.evaluation import Predictions
from lesionlens.evaluation.uncertainty.selective import RiskCoverage, Selection, confidence_scores


def areas(wrong: np.ndarray, confidence: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float]:
    weights = np.ones((1, len(wrong))) if weights is None else weights
    [augrc], [aurc] = RiskCoverage(wrong, confidence).areas(weights)
    return float(augrc), float(aurc)


def test_areas_worked_out_by_hand() -> None:
    # Generalised risk 0, ⅓, ⅓ at coverage ⅓, ⅔, 1; selective risk 0, ½, ⅓.
    augrc, aurc = areas(np.array([False, True, False]), np.array([0.9, 0.8, 0.7]))
    assert augrc == pytest.approx((0 + 1 / 6 + 1 / 3) / 3)
    assert aurc == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)


def test_the_area_is_that_of_the_formula(mixed: Predictions) -> None:
    wrong = mixed.top != mixed.label
    accuracy = 1 - wrong.mean()
    rounded = np.round(mixed.confidence, 1)  # with many ties
    for confidence in (mixed.confidence, rounded):
        auroc = roc_auc_score(~wrong, confidence)
        expected = (1 - auroc) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2
        assert areas(wrong, confidence)[0] == pytest.approx(expected, abs=1e-12)


def test_order_is_everything() -> None:
    wrong = np.arange(100) < 30
    perfect, none, reversed_ = np.where(wrong, 0.0, 1.0), np.zeros(100), np.where(wrong, 1.0, 0.0)
    assert areas(wrong, perfect)[0] == pytest.approx(0.3**2 / 2)
    assert areas(wrong, none)[0] == pytest.approx(0.3 / 2)
    assert areas(wrong, reversed_)[0] == pytest.approx(0.3 - 0.3**2 / 2)
    assert areas(wrong, none)[1] == pytest.approx(0.3)


def test_always_right_and_always_wrong_have_areas_too() -> None:
    confidence = np.linspace(0, 1, 10)
    assert areas(np.zeros(10, bool), confidence) == (0.0, 0.0)
    assert areas(np.ones(10, bool), confidence) == (pytest.approx(0.5), pytest.approx(1.0))


def test_a_weight_is_as_good_as_a_repeated_picture(mixed: Predictions) -> None:
    wrong, confidence = mixed.top != mixed.label, np.round(mixed.confidence, 2)
    times = np.random.default_rng(3).integers(0, 3, len(mixed))
    weighted = areas(wrong, confidence, times[None].astype(np.float64))
    assert weighted == pytest.approx(areas(np.repeat(wrong, times), np.repeat(confidence, times)), abs=1e-12)


def test_scores_rise_with_confidence() -> None:
    logits = np.zeros((3, 8))
    logits[1, 0], logits[2, 0] = 2.0, 6.0
    scores = confidence_scores(made([0, 0, 0], logits))
    assert set(scores) == {"max_probability", "margin", "entropy"}
    for name, values in scores.items():
        assert (np.diff(values) > 0).all(), name
    assert scores["margin"][0] == pytest.approx(0.0, abs=1e-7)
    assert scores["entropy"][0] == pytest.approx(-np.log(8), rel=1e-6)


def test_a_rule_is_a_point_of_the_curve(mixed: Predictions) -> None:
    wrong, threshold = mixed.top != mixed.label, 0.5
    ones = np.ones((1, len(mixed)))
    rule = Selection.of(ones, wrong, mixed.confidence >= threshold)
    [coverage], [risk] = RiskCoverage(wrong, mixed.confidence).curve(ones)
    at = np.searchsorted(coverage, rule.coverage[0] - 1e-12)
    assert risk[at] == pytest.approx(rule.generalised_risk[0])
    assert rule.generalised_risk[0] == pytest.approx(rule.coverage[0] * rule.selective_risk[0])
    nothing = Selection.of(ones, wrong, np.zeros(len(mixed), bool))
    assert nothing.coverage[0] == nothing.generalised_risk[0] == 0.0
    assert np.isnan(nothing.selective_risk[0])
