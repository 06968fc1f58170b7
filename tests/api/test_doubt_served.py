"""Doubt over HTTP: unsuitable photos, prediction sets, quality; with rules in the bundle and without them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from PIL import Image

from fitted import LIKE, UNLIKE
from lesionlens import CODES, Classifier
from lesionlens.api.schemas import AnalysisResponse, QualityInfo
from lesionlens.doubt import NOT_DERMOSCOPIC
from lesionlens.imaging import decode
from lesionlens.imaging.quality import Quality
from serving import Running, as_file, encode, running, with_manifest


@pytest.fixture(scope="module")
def doubting(fitted: Classifier) -> Iterator[Running]:
    """A service whose model has rules and statistics."""
    with running(fitted) as server:
        yield server


def analyse(server: Running, data: bytes) -> dict[str, Any]:
    response = server.post("/v1/analyses", files=as_file(data))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    AnalysisResponse.model_validate(answer)
    return answer


def predict(server: Running, data: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = server.post("/predict", files=as_file(data)).json()
    return answer


def test_an_unsuitable_photo_is_never_confident(doubting: Running) -> None:
    answer = analyse(doubting, UNLIKE)
    assert answer["confident"] is False
    assert answer["confidence"]["rule"] == "suitability"
    assert answer["confidence"]["message"].startswith(NOT_DERMOSCOPIC)
    suitability = answer["suitability"]
    assert suitability["suitable"] is False
    assert suitability["score"] > suitability["threshold"]
    assert suitability["message"] == NOT_DERMOSCOPIC
    assert suitability["reasons"]
    assert all(reason["code"] and reason["message"].endswith(".") for reason in suitability["reasons"])


def test_not_even_when_the_model_is_sure(fitted: Classifier) -> None:
    with running(with_manifest(fitted, temperature=0.01)) as server:
        answer = analyse(server, UNLIKE)
        contract = predict(server, UNLIKE)
    assert answer["confidence"]["max_probability"] > 0.99
    assert answer["confident"] is False
    assert answer["prediction"]["index"] == contract["prediction"] < 8  # what the model says stays what it says


def test_a_suitable_photo_is_judged_by_its_probabilities(fitted: Classifier) -> None:
    for threshold, confident in ((0.0, True), (1.0, False)):
        with running(with_manifest(fitted, confidence_threshold=threshold)) as server:
            answer = analyse(server, LIKE)
        assert answer["suitability"] == answer["suitability"] | {"suitable": True, "message": None, "reasons": []}
        assert answer["suitability"]["score"] <= answer["suitability"]["threshold"]
        assert answer["confidence"]["rule"] == "max_probability"
        assert answer["confident"] is confident
        assert ("does not know" in answer["confidence"]["message"]) is not confident


def test_the_prediction_set_is_that_of_the_library(doubting: Running, fitted: Classifier) -> None:
    rule = fitted.manifest.prediction_set
    assert rule is not None
    for data in (LIKE, UNLIKE):
        [analysis] = fitted.analyse([decode(data).image])
        assert analysis.prediction_set is not None
        given = analyse(doubting, data)["prediction_set"]
        assert given == {"coverage": rule.coverage, "codes": [CODES[index] for index in analysis.prediction_set]}
        assert given["codes"][0] == CODES[analysis.top]


def test_a_model_without_rules_says_so(plain: Classifier) -> None:
    with running(plain) as server:
        answer = analyse(server, UNLIKE)
        model = server.get("/v1/model").json()
    assert answer["prediction_set"] is None
    assert answer["suitability"] is None
    assert answer["confidence"]["rule"] == "max_probability"
    assert answer["quality"]["short_side"] == 256
    assert model["prediction_set"] is None
    assert model["suitability"] is None


def test_quality_is_told_whole(doubting: Running, fitted: Classifier) -> None:
    assert list(QualityInfo.model_fields) == [field.name for field in fields(Quality)]
    [analysis] = fitted.analyse([decode(LIKE).image])
    quality = analyse(doubting, LIKE)["quality"]
    hints = quality.pop("hints")
    assert quality == pytest.approx({name: getattr(analysis.quality, name) for name in quality})
    assert [hint["message"] for hint in hints] == [hint.message for hint in analysis.quality.hints]


@pytest.mark.parametrize("colour", ["black", "white", "red"])
def test_a_picture_of_one_colour_has_numbers_all_the_same(doubting: Running, colour: str) -> None:
    """Nothing is measurable on it, yet a client must find no null where the schema promises a number."""
    answer = analyse(doubting, encode(Image.new("RGB", (8, 8), colour)))
    assert answer["suitability"]["suitable"] is False
    numbers = [answer["suitability"]["score"], *(v for k, v in answer["quality"].items() if k != "hints")]
    assert all(isinstance(number, (int, float)) for number in numbers)


def test_the_model_describes_its_rules_without_the_statistics(doubting: Running, fitted: Classifier) -> None:
    manifest = fitted.manifest
    assert manifest.prediction_set is not None
    assert manifest.out_of_distribution is not None
    response = doubting.get("/v1/model")
    model = response.json()
    assert model["prediction_set"] == manifest.prediction_set.model_dump(mode="json")
    assert model["suitability"] == manifest.out_of_distribution.model_dump(mode="json", exclude={"file"})
    assert model["calibration"]["measured_on"] == "drawn lesions"
    assert len(response.content) < 50_000


def test_the_contract_knows_nothing_of_it(doubting: Running, fitted: Classifier) -> None:
    bare = with_manifest(fitted, prediction_set=None, out_of_distribution=None)
    with running(bare) as server:
        for data in (LIKE, UNLIKE):
            assert predict(doubting, data) == predict(server, data)


def test_doubt_is_counted(fitted: Classifier, plain: Classifier) -> None:
    with running(fitted) as server:
        text = server.get("/metrics").text
        assert "lesionlens_not_suitable_total 0.0" in text  # there before there is one, to be alarmed on
        sizes = [len(analyse(server, data)["prediction_set"]["codes"]) for data in (LIKE, UNLIKE, UNLIKE)]
        assert server.metric("lesionlens_not_suitable_total") == 2
        assert server.metric("lesionlens_prediction_set_size_count") == 3
        assert server.metric("lesionlens_prediction_set_size_sum") == sum(sizes)
    with running(plain) as server:
        analyse(server, UNLIKE)
        assert server.metric("lesionlens_not_suitable_total") == 0
        assert server.metric("lesionlens_prediction_set_size_count") == 0
