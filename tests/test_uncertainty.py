"""Probabilities sum to one, temperature softens, and below the threshold the answer is 8."""

from __future__ import annotations

import numpy as np
import pytest

from lesionlens.uncertainty import decide, malignant_probability, softmax

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


def test_an_answer_below_the_threshold_is_not_confident() -> None:
    half = np.array([[0.5, 0.5, 0, 0, 0, 0, 0, 0], [0.49, 0.3, 0.21, 0, 0, 0, 0, 0]], dtype=np.float32)
    assert decide(half).tolist() == [0, 8]
    assert decide(half, threshold=0.4).tolist() == [0, 0]
    assert decide(softmax(LOGITS)).tolist() == [0, 8, 0]


def test_malignant_probability_adds_the_four_malignant_diagnoses() -> None:
    probabilities = np.array([0.1, 0.2, 0.05, 0.03, 0.3, 0.1, 0.2, 0.02], dtype=np.float32)
    assert malignant_probability(probabilities) == pytest.approx(0.1 + 0.05 + 0.03 + 0.02)
