"""Thresholds on the malignant probability reach what is asked of them."""

from __future__ import annotations

import numpy as np

from lesionlens.calibration.operating import operating_points
from lesionlens.uncertainty import softmax


def test_operating_points_reach_the_asked_sensitivity() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 8, 4000)
    logits = rng.normal(0, 1, (4000, 8)).astype(np.float32)
    logits[np.arange(4000), labels] += 1.5
    probabilities = softmax(logits)
    ninety, ninety_five = operating_points(probabilities, labels, "simulated")
    assert 0.90 <= ninety.sensitivity < 0.905
    assert 0.95 <= ninety_five.sensitivity < 0.955
    assert ninety.threshold > ninety_five.threshold
    assert ninety.specificity > ninety_five.specificity
    assert (ninety.name, ninety_five.name) == ("sensitivity_90", "sensitivity_95")


def test_both_sides_are_needed() -> None:
    probabilities = softmax(np.eye(8, dtype=np.float32))
    assert operating_points(probabilities, np.full(8, 1), "all benign") == ()
    assert operating_points(probabilities, np.full(8, 0), "all malignant") == ()
