"""Doubt in words: what is said of an answer that may be relied on, and of one that may not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lesionlens import Analysis, Classifier
from lesionlens.doubt import NOT_DERMOSCOPIC, as_quality, as_suitability, explain
from lesionlens.imaging.quality import Hint
from lesionlens.suitability import Suitability
from lesionlens.uncertainty import decide
from serving import classifier  # noqa: F401  (fixture)
from synthetic import lesion

REASON = Hint("colours", "These are not the colours of skin.")


@pytest.fixture(scope="module")
def analysis(classifier: Classifier) -> Analysis:  # noqa: F811
    [analysis] = classifier.analyse([lesion(1, 0)])
    return analysis


def with_top(analysis: Analysis, probability: float, threshold: float, *, suitable: bool | None = None) -> Analysis:
    probabilities = np.full(8, (1 - probability) / 7, dtype=np.float32)
    probabilities[0] = probability
    finding = None if suitable is None else Suitability(2.0, 3.0, suitable, () if suitable else (REASON,))
    prediction = int(decide(probabilities[None], threshold)[0])
    return replace(analysis, probabilities=probabilities, prediction=prediction, suitability=finding)


@pytest.mark.parametrize("suitable", [None, True])
def test_the_probability_decides_of_a_picture_that_nothing_speaks_against(
    analysis: Analysis, suitable: bool | None
) -> None:
    sure = with_top(analysis, 0.873, 0.5, suitable=suitable)
    assert (sure.confident, sure.decided_by) == (True, "max_probability")
    assert explain(sure, 0.5) == "Melanoma has 87.3%; an answer needs 50%."
    unsure = with_top(analysis, 0.3, 0.5, suitable=suitable)
    assert (unsure.confident, unsure.decided_by) == (False, "max_probability")
    assert explain(unsure, 0.5) == (
        "The model does not know: no diagnosis reached 50%; the nearest, Melanoma, has 30.0%."
    )


def test_what_is_below_a_threshold_is_never_rounded_up_to_it(analysis: Analysis) -> None:
    text = explain(with_top(analysis, 0.52499, 0.525), 0.525)
    assert "reached 52.5%" in text
    assert "has 52.4%" in text


@pytest.mark.parametrize("probability", [0.2, 0.99])
def test_an_unsuitable_picture_is_never_confident(analysis: Analysis, probability: float) -> None:
    doubted = with_top(analysis, probability, 0.5, suitable=False)
    assert (doubted.confident, doubted.decided_by) == (False, "suitability")
    assert doubted.prediction == (0 if probability > 0.5 else 8)  # what the model says stays what it says
    assert explain(doubted, 0.5) == f"{NOT_DERMOSCOPIC} Do not rely on the answer."
    assert as_suitability(doubted.suitability) == {
        "suitable": False,
        "score": 2.0,
        "threshold": 3.0,
        "message": NOT_DERMOSCOPIC,
        "reasons": [{"code": "colours", "message": "These are not the colours of skin."}],
    }


def test_a_suitable_picture_has_no_message(analysis: Analysis) -> None:
    assert as_suitability(None) is None
    finding = as_suitability(with_top(analysis, 0.9, 0.5, suitable=True).suitability)
    assert finding is not None
    assert (finding["message"], finding["reasons"]) == (None, [])


def test_quality_is_plain_data(analysis: Analysis) -> None:
    quality = replace(analysis.quality, hints=(REASON,))
    data = as_quality(quality)
    assert data["hints"] == [{"code": "colours", "message": "These are not the colours of skin."}]
    assert data["short_side"] == 64
    assert data["brightness"] == quality.brightness
