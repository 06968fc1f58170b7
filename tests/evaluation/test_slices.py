"""The parts that are reported apart."""

from __future__ import annotations

import pytest
from made_predictions import made, one_hot

from lesionlens.evaluation import Predictions, evaluate


def test_parts_are_all_by_resolution_and_by_source(mixed: Predictions) -> None:
    metrics = evaluate(mixed, resamples=0)
    assert [(s.key, s.n) for s in metrics.slices] == [
        ("all", 400),
        ("short_side_ge_180", 200),
        ("short_side_lt_180", 200),
        ("source:BCN", 200),
        ("source:HAM", 200),
    ]
    assert metrics.slice("source:HAM") is not None
    assert metrics.slice("source:MSK") is None


def test_the_shorter_side_decides() -> None:
    metrics = evaluate(made([1, 1, 1], one_hot([1, 1, 1]), short_sides=[179, 180, 512]), resamples=0)
    assert {s.key: s.n for s in metrics.slices} == {"all": 3, "short_side_ge_180": 2, "short_side_lt_180": 1}


def test_balanced_accuracy_is_over_the_classes_present_and_says_how_many() -> None:
    predictions = made([0, 1, 1, 4], one_hot([0, 1, 0, 4]), sources=["MSK", "MSK", "MSK", "HAM"])
    part = evaluate(predictions, resamples=0).slice("source:MSK")
    assert part is not None
    assert part.classes_present == ("MEL", "NV")
    assert part.balanced_accuracy.value == pytest.approx((1 + 1 / 2) / 2)


def test_a_model_that_tells_the_collections_apart_is_found_out() -> None:
    # Sharp pictures are nevi and blurred ones carcinomas, and that is all that this model looks at.
    labels, blurred = [1] * 90 + [2] * 10 + [2] * 90 + [1] * 10, [False] * 100 + [True] * 100
    answers = [2 if b else 1 for b in blurred]
    metrics = evaluate(made(labels, one_hot(answers), short_sides=[84 if b else 256 for b in blurred]), resamples=0)
    by_key = {s.key: s.balanced_accuracy.value for s in metrics.slices}
    assert by_key["all"] == pytest.approx(0.9)
    assert by_key["short_side_ge_180"] == by_key["short_side_lt_180"] == pytest.approx(0.5)
