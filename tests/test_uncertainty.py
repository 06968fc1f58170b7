"""Probabilities sum to one, temperature softens, below the threshold the answer is 8, and sets are never empty."""

from __future__ import annotations

import numpy as np
import pytest

from lesionlens.inference.records import PredictionSetRule
from lesionlens.uncertainty import decide, in_sets, malignant_probability, prediction_sets, softmax

LOGITS = np.array([[4.0, 1, 0, 0, 0, 0, 0, 0], [0.0] * 8, [900.0, -900, 0, 0, 0, 0, 0, 0]], dtype=np.float32)


def test_softmax_sums_to_one_even_for_huge_logits() -> None:
    probabilities = softmax(LOGITS)
    np.testing.assert_allclose(probabilities.sum(1), 1.0, atol=1e-6)
    np.testing.assert_allclose(probabilities[0], np.exp(LOGITS[0]) / np.exp(LOGITS[0]).sum(), rtol=1e-6)
    assert probabilities[2, 0] == 1.0
    assert probabilities.dtype == np.float32


def test_temperature_softens_without_changing_the_order() -> None:
    assert softmax(LOGITS, 2.0)[0].max() < softmax(LOGITS)[0].max()
    assert softmax(LOGITS, 2.0).argmax(1).tolist() == LOGITS.argmax(1).tolist()
    with pytest.raises(ValueError, match="greater than 0"):
        softmax(LOGITS, 0.0)


def test_a_shift_is_added_before_the_temperature_is_divided_out() -> None:
    shift = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -2.0)
    np.testing.assert_allclose(softmax(LOGITS, 2.0, shift), softmax((LOGITS + np.array(shift, np.float32)), 2.0))
    assert softmax(LOGITS[1:2], 2.0, shift)[0].argmax() == 0
    np.testing.assert_array_equal(softmax(LOGITS, 2.0, (0.0,) * 8), softmax(LOGITS, 2.0))


def test_an_answer_below_the_threshold_is_not_confident() -> None:
    half = np.array([[0.5, 0.5, 0, 0, 0, 0, 0, 0], [0.49, 0.3, 0.21, 0, 0, 0, 0, 0]], dtype=np.float32)
    assert decide(half).tolist() == [0, 8]
    assert decide(half, threshold=0.4).tolist() == [0, 0]
    assert decide(softmax(LOGITS)).tolist() == [0, 8, 0]


def test_malignant_probability_adds_the_four_malignant_diagnoses() -> None:
    probabilities = np.array([0.1, 0.2, 0.05, 0.03, 0.3, 0.1, 0.2, 0.02], dtype=np.float32)
    assert malignant_probability(probabilities) == pytest.approx(0.1 + 0.05 + 0.03 + 0.02)


PROBABILITIES = np.array(
    [
        [0.90, 0.05, 0.05, 0, 0, 0, 0, 0],
        [0.30, 0.45, 0.00, 0, 0, 0, 0.25, 0],
        [0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.1, 0],
    ],
    dtype=np.float32,
)


def test_a_set_holds_what_is_probable_enough_by_falling_probability() -> None:
    rule = PredictionSetRule(coverage=0.9, threshold=0.75)
    assert prediction_sets(PROBABILITIES, rule) == [(0,), (1, 0, 6), (0,)]


def test_each_diagnosis_may_have_a_threshold_of_its_own() -> None:
    thresholds = (0.1, 0.5, 0.95, 0.1, 0.1, 0.1, 0.75, 0.1)
    rule = PredictionSetRule(coverage=0.9, threshold=0.75, class_thresholds=thresholds)
    # The first picture keeps BCC at 5 %, since 0.95 lets it; the second loses MEL at 30 %, since 0.1 does not.
    assert prediction_sets(PROBABILITIES, rule) == [(0, 2), (1, 6), (0, 2)]


def test_a_set_is_never_empty_and_equal_probabilities_come_in_model_order() -> None:
    strict = PredictionSetRule(coverage=0.9, threshold=0.0)
    assert prediction_sets(PROBABILITIES, strict) == [(0,), (1,), (0,)]
    loose = PredictionSetRule(coverage=0.9, threshold=1.0)
    assert prediction_sets(PROBABILITIES[2:], loose) == [(0, 1, 2, 3, 4, 5, 6, 7)]
    assert in_sets(PROBABILITIES, loose).all()


def test_a_score_on_the_threshold_is_in_the_set() -> None:
    # One minus a single-precision probability is no single-precision number: rounding it would drop the picture out.
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(8, 0.3), 200).astype(np.float32)
    for row in probabilities:
        k = int(row.argmin())
        rule = PredictionSetRule(coverage=0.9, threshold=1.0 - float(row[k]))
        assert k in prediction_sets(row[None], rule)[0]
