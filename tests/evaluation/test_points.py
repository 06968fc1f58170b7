"""The figures, against values worked out by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from made_predictions import made, one_hot
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, f1_score, roc_auc_score

from lesionlens.evaluation import Predictions, evaluate
from lesionlens.evaluation.points import TARGETS, confusion, operating, points, rates
from lesionlens.evaluation.resampled import resampled
from lesionlens.evaluation.schema import FixedThreshold
from lesionlens.taxonomy import CODES

FIXED = (FixedThreshold(name="screening", threshold=0.3),)


def test_figures_worked_out_by_hand() -> None:
    # Melanoma: 3 of 4 recognised. Nevus: 1 of 2, and 1 of the 4 others is called one.
    figures = points(made([0, 0, 0, 0, 1, 1], one_hot([0, 0, 0, 1, 1, 2])))
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert figures["sensitivity:MEL"] == pytest.approx(3 / 4)
    assert figures["specificity:NV"] == pytest.approx(3 / 4)
    assert figures["precision:NV"] == pytest.approx(1 / 2)
    assert figures["f1:MEL"] == pytest.approx(6 / 7)
    assert figures["macro_f1"] == pytest.approx((6 / 7 + 1 / 2) / 2)
    assert figures["precision:BCC"] == 0.0
    assert np.isnan(figures["sensitivity:BCC"])
    assert np.isnan(figures["auc:BCC"])
    assert np.isnan(figures["precision:SCC"])


def test_a_model_that_always_says_nevus_gets_one_eighth() -> None:
    labels = [*range(8), 1, 1, 1, 1]
    result = evaluate(made(labels, one_hot([1] * 12)), resamples=0).slices[0]
    assert result.balanced_accuracy.value == pytest.approx(1 / 8)
    assert result.accuracy.value == pytest.approx(5 / 12)
    assert result.malignant_auc.value == pytest.approx(0.5)


def test_the_figures_are_those_of_scikit_learn(mixed: Predictions) -> None:
    figures = points(mixed)
    label, top = mixed.label, mixed.top
    p = mixed.probabilities.astype(np.float64)
    assert figures["balanced_accuracy_sklearn"] == pytest.approx(balanced_accuracy_score(label, top))
    assert figures["macro_f1"] == pytest.approx(f1_score(label, top, average="macro"))
    assert figures["macro_auc"] == pytest.approx(roc_auc_score(np.eye(8)[label], p, average="macro"))
    assert figures["brier"] == pytest.approx(brier_score_loss(label, p / p.sum(axis=1, keepdims=True)), abs=1e-6)
    malignant = np.isin(label, [0, 2, 3, 7])
    assert figures["malignant_auc"] == pytest.approx(roc_auc_score(malignant, p[:, [0, 2, 3, 7]].sum(axis=1)), abs=1e-6)


def test_the_official_scorer_counts_a_tie_as_wrong() -> None:
    tied = np.zeros((2, 8))
    tied[0, [0, 1]] = 3.0  # melanoma and nevus equally probable: the first of them is taken, except by ISIC
    tied[1, 1] = 3.0
    figures = points(made([0, 1], tied))
    assert figures["balanced_accuracy"] == pytest.approx(0.5)
    assert figures["balanced_accuracy_sklearn"] == pytest.approx(1.0)


def test_resampling_computes_the_same_figures(mixed: Predictions) -> None:
    figures = points(mixed, FIXED)
    once = resampled(mixed, [np.ones((1, len(mixed)))], FIXED)
    assert set(once) == set(figures)
    for name, value in figures.items():
        assert once[name][0] == pytest.approx(value, abs=1e-12), name


def test_a_weight_is_as_good_as_a_repeated_picture(mixed: Predictions) -> None:
    times = np.random.default_rng(3).integers(0, 3, len(mixed))
    times[:16] = 1  # keep every diagnosis
    weighted = resampled(mixed, [times[None, :].astype(np.float64)], FIXED)
    rows = np.repeat(np.arange(len(mixed)), times)
    repeated = made(mixed.label[rows].tolist(), mixed.logits[rows])
    for name, value in points(repeated, FIXED).items():
        assert weighted[name][0] == pytest.approx(value, abs=1e-12), name


def test_absent_classes_are_left_out_of_resamples_too(mixed: Predictions) -> None:
    weights = (mixed.label == 0).astype(np.float64)[None, :]
    figures = resampled(mixed, [weights])
    assert figures["balanced_accuracy_sklearn"][0] == pytest.approx(figures["sensitivity:MEL"][0])
    for name in ("sensitivity:NV", "auc:MEL", "specificity:MEL", "malignant_auc", "sensitivity@specificity:0.9"):
        assert np.isnan(figures[name][0]), name


def test_confusion_counts_the_most_probable_class() -> None:
    counts = confusion(made([0, 0, 1], np.stack([one_hot([0])[0], one_hot([1], 0.1)[0], one_hot([1])[0]])))
    assert counts[0, 0] == 1
    assert counts[0, 1] == 1  # unsure, and counted all the same
    assert counts.sum() == 3


POSITIVE = np.array([True, True, True, True, False, False, False, False, False])
SCORE = np.array([0.9, 0.8, 0.6, 0.3, 0.7, 0.5, 0.4, 0.2, 0.1])


def test_operating_points_worked_out_by_hand() -> None:
    # One of five benign scores may lie at or above the threshold: 0.6 lets in 0.7 and finds 0.9, 0.8 and 0.6.
    assert operating(POSITIVE, SCORE, "specificity", 0.8) == (0.6, 3 / 4, 4 / 5)
    assert operating(POSITIVE, SCORE, "specificity", 0.9) == (0.8, 2 / 4, 1.0)
    # All four malignant ones are found at 0.3, which lets in three of five benign.
    assert operating(POSITIVE, SCORE, "sensitivity", 0.9) == pytest.approx((0.3, 1.0, 2 / 5))
    assert operating(POSITIVE, SCORE, "sensitivity", 0.5) == (0.8, 2 / 4, 1.0)


def test_no_threshold_may_reach_a_specificity() -> None:
    point = operating(np.array([False, True, False]), np.array([0.9, 0.5, 0.5]), "specificity", 0.9)
    assert point is not None
    assert point.threshold is None
    assert point.sensitivity == 0.0


def test_operating_points_need_both_sides() -> None:
    assert operating(np.array([True, True]), np.array([0.1, 0.2]), "specificity", 0.9) is None
    sensitivity, specificity = rates(np.array([True, True]), np.array([0.1, 0.2]), 0.2)
    assert sensitivity == 0.5
    assert np.isnan(specificity)
    malignant_only = points(made([0, 2], one_hot([0, 2])), FIXED)
    assert np.isnan(malignant_only["malignant_auc"])
    assert evaluate(made([0, 2], one_hot([0, 2])), resamples=0).slices[0].operating_points == ()


@pytest.mark.parametrize(("rule", "target"), TARGETS)
def test_the_reported_threshold_gives_the_reported_rates(mixed: Predictions, rule: str, target: float) -> None:
    result = evaluate(mixed, resamples=0).slices[0]
    [point] = [p for p in result.operating_points if (p.rule, p.target) == (rule, target)]
    assert point.threshold is not None
    called = mixed.probabilities[:, [0, 2, 3, 7]].sum(axis=1, dtype=np.float64).astype(np.float32) >= point.threshold
    assert called[mixed.malignant].mean() == pytest.approx(point.sensitivity.value)
    assert (~called[~mixed.malignant]).mean() == pytest.approx(point.specificity.value)
    assert (point.specificity if rule == "specificity" else point.sensitivity).value >= target  # type: ignore[operator]


def test_every_diagnosis_is_reported_in_taxonomy_order(mixed: Predictions) -> None:
    result = evaluate(mixed, resamples=0).slices[0]
    assert tuple(c.code for c in result.classes) == CODES
    assert sum(c.support for c in result.classes) == sum(c.predicted for c in result.classes) == len(mixed)
