"""What was fitted is what the service applies."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lesionlens import Bundle, Classifier
from lesionlens.inference.embedded import find_bundle
from lesionlens.inference.records import PredictionSetRule
from synthetic import lesion

SHIFT = (1.5, -1.0, 0.0, 0.0, 0.5, 0.0, 0.0, -1.0)


def classifier(**changes: object) -> Classifier:
    bundle = find_bundle()
    manifest = bundle.manifest.model_copy(update=changes)
    return Classifier(Bundle(bundle.path, manifest), engine="onnxruntime")


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    return [lesion(label, 2, (240, 200)) for label in range(4)]


def test_a_shift_moves_probabilities_and_leaves_the_logits(pictures: list[Image.Image]) -> None:
    plain = classifier(logit_shift=None, temperature=1.3).analyse(pictures)
    shifted = classifier(logit_shift=SHIFT, temperature=1.3).analyse(pictures)
    for before, after in zip(plain, shifted, strict=True):
        np.testing.assert_allclose(before.logits, after.logits, atol=1e-5)
        scaled = np.exp((before.logits.astype(np.float64) + SHIFT) / 1.3)
        np.testing.assert_allclose(after.probabilities, scaled / scaled.sum(), atol=1e-5)
        assert after.probabilities[0] > before.probabilities[0]


def test_sets_come_with_a_rule_and_only_then(pictures: list[Image.Image]) -> None:
    assert {a.prediction_set for a in classifier(prediction_set=None).analyse(pictures)} == {None}
    rule = PredictionSetRule(coverage=0.9, threshold=0.97)
    for analysis in classifier(prediction_set=rule).analyse(pictures):
        found = analysis.prediction_set
        assert found is not None
        assert found[0] == analysis.top
        expected = {analysis.top, *np.flatnonzero(1.0 - analysis.probabilities.astype(np.float64) <= 0.97).tolist()}
        assert set(found) == expected
