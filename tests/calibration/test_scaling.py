"""The faults that were put into logits are found and taken out."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import held

from lesionlens.calibration.scaling import Scaling, fit_bias_corrected, fit_temperature, negative_log_likelihoods

BIAS = (0.8, -0.9, 0.4, 0.1, -0.2, 0.0, 0.3, -0.5)


def test_the_temperature_that_made_the_labels_is_found() -> None:
    pictures = held(20_000, temperature=1.7)
    assert fit_temperature(pictures.logits, pictures.labels).temperature == pytest.approx(1.7, rel=0.05)
    assert fit_temperature(pictures.logits, pictures.labels).shift is None


def test_temperature_and_shift_that_made_the_labels_are_found() -> None:
    pictures = held(20_000, temperature=1.7, bias=BIAS)
    found = fit_bias_corrected(pictures.logits, pictures.labels)
    assert found.temperature == pytest.approx(1.7, rel=0.05)
    assert found.shift is not None
    wanted = 1.7 * (np.array(BIAS) - np.mean(BIAS))  # shift = bias · temperature
    np.testing.assert_allclose(found.shift, wanted, atol=0.3)
    assert sum(found.shift) == pytest.approx(0.0, abs=1e-9)


def test_the_shift_makes_probabilities_right_where_a_temperature_cannot() -> None:
    pictures, fresh = held(5000, bias=BIAS), held(20_000, seed=1, bias=BIAS)
    shares = np.bincount(fresh.labels, minlength=8) / len(fresh)
    for fit, tolerance in ((fit_bias_corrected, 0.015), (fit_temperature, None)):
        means = fit(pictures.logits, pictures.labels).probabilities(fresh.logits).mean(axis=0)
        worst = np.abs(means - shares).max()
        assert worst < tolerance if tolerance else worst > 0.05


def test_a_class_of_few_pictures_gets_a_small_shift() -> None:
    pictures = held(400, seed=3)
    rare = pictures.labels.copy()
    rare[rare == 5] = 1  # no picture of DF at all: without the prior its bias would run to minus infinity
    found = fit_bias_corrected(pictures.logits, rare)
    assert found.shift is not None
    assert np.isfinite(found.shift).all()
    assert -2.5 < found.shift[5] < 0.5


def test_fitting_starts_nowhere_in_particular() -> None:
    pictures = held(500, temperature=0.6, bias=BIAS)
    found = fit_bias_corrected(pictures.logits, pictures.labels)
    moved = fit_bias_corrected(pictures.logits + np.float32(50.0), pictures.labels)
    assert moved.temperature == pytest.approx(found.temperature, rel=1e-3)
    np.testing.assert_allclose(moved.shift, found.shift, atol=1e-2)


def test_a_hopeless_picture_has_a_finite_loss() -> None:
    logits = np.array([[200.0, 0, 0, 0, 0, 0, 0, -200.0]], dtype=np.float32)
    loss = negative_log_likelihoods(logits, np.array([7]), Scaling())
    assert loss[0] == pytest.approx(400.0)
    assert Scaling().probabilities(logits)[0, 7] == 0.0, "its probability is 0 in single precision"
