"""`POST /v1/analyses` and what describes the model."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lesionlens import CODES, DISCLAIMER, Classifier
from lesionlens.api.schemas import AnalysisResponse
from lesionlens.inference.bundle import CARD_NAME, OperatingPoint
from serving import Running, as_file, draw_lesion, encode, running, with_manifest

PHOTO = encode(draw_lesion())


def analyse(server: Running, data: bytes = PHOTO, **query: str) -> dict[str, Any]:
    response = server.post("/v1/analyses", files=as_file(data), params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    AnalysisResponse.model_validate(answer)
    return answer


def test_answer_is_that_of_the_library(server: Running, classifier: Classifier, real_sample: dict[str, bytes]) -> None:
    for data in real_sample.values():
        image = Image.open(io.BytesIO(data))
        [expected] = classifier.analyse([image.convert("RGB")])
        answer = analyse(server, data)
        assert list(answer["probabilities"]) == list(CODES)
        assert list(answer["probabilities"].values()) == pytest.approx(expected.probabilities.tolist(), abs=1e-5)
        assert answer["prediction"]["index"] == expected.prediction
        assert answer["confident"] is expected.confident
        assert answer["most_probable"]["code"] == CODES[expected.top]
        assert answer["malignancy"]["probability"] == pytest.approx(expected.malignant_probability, abs=1e-5)
        assert answer["photo"] == {"width": image.width, "height": image.height, "format": "JPEG"}


def test_answer_says_what_it_must_be_kept_with(server: Running, classifier: Classifier) -> None:
    first, second = analyse(server), analyse(server)
    assert first["model"] == classifier.description
    assert first["id"] != second["id"]
    assert first["disclaimer"] == DISCLAIMER
    assert first["timings_ms"]["total"] >= first["timings_ms"]["inference"] > 0


def test_no_maps_unless_asked_for(server: Running) -> None:
    answer = analyse(server)
    assert answer["maps"] is None
    assert answer["overlays"] is None


@pytest.mark.parametrize(
    ("choice", "codes"),
    [("all", set(CODES)), ("mel, nv", {"MEL", "NV"}), ("AK", {"AKIEC"}), ("SCC,all", set(CODES)), ("BCC,,", {"BCC"})],
)
def test_classes_can_be_chosen(server: Running, choice: str, codes: set[str]) -> None:
    answer = analyse(server, maps=choice, overlay=choice)
    assert set(answer["maps"]) == set(answer["overlays"]) == codes


def test_top_is_the_most_probable_class(server: Running) -> None:
    answer = analyse(server, maps="top", overlay="top")
    assert list(answer["maps"]) == list(answer["overlays"]) == [answer["most_probable"]["code"]]


def test_maps_are_the_numbers_of_the_network(server: Running, classifier: Classifier) -> None:
    [expected] = classifier.analyse([draw_lesion()])
    for code, given in analyse(server, maps="all")["maps"].items():
        values = np.array(given["values"])
        assert values.shape == (given["height"], given["width"]) == expected.maps.shape[1:]
        np.testing.assert_allclose(values, expected.maps[CODES.index(code)], rtol=1e-3, atol=1e-5)


def test_overlay_is_the_contract_picture(server: Running) -> None:
    answer = analyse(server, overlay="top")
    [overlay] = answer["overlays"].values()
    assert overlay == server.post("/predict", files=as_file(PHOTO)).json()["gradcam"]
    assert Image.open(io.BytesIO(base64.b64decode(overlay))).size == (320, 240)


def test_seen_box_is_where_the_network_looked(server: Running, classifier: Classifier) -> None:
    box = analyse(server)["seen_box"]
    crop = {"left": 0.125, "top": 0.0, "right": 0.875, "bottom": 1.0}
    whole = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}
    assert box == (crop if classifier.manifest.preprocessing.fit == "center_crop" else whole)


def test_photo_size_is_that_of_the_upright_original(server: Running) -> None:
    data = encode(draw_lesion(4000, 3000), "JPEG", orientation=6)
    assert analyse(server, data)["photo"] == {"width": 3000, "height": 4000, "format": "JPEG"}


def test_threshold_of_the_bundle_decides(classifier: Classifier) -> None:
    with running(with_manifest(classifier, confidence_threshold=1.0, out_of_distribution=None)) as server:
        answer = analyse(server)
    assert answer["prediction"]["code"] == "NOT_CONFIDENT"
    assert answer["confident"] is False
    assert answer["confidence"]["rule"] == "max_probability"
    assert answer["confidence"]["threshold"] == 1.0
    assert answer["most_probable"]["code"] in CODES


def test_operating_points_say_whether_they_are_reached(classifier: Classifier) -> None:
    points = tuple(
        OperatingPoint(name=name, threshold=threshold, sensitivity=0.9, specificity=0.6, measured_on="a test")
        for name, threshold in (("low", 0.0), ("high", 1.0))
    )
    with running(with_manifest(classifier, operating_points=points)) as server:
        low, high = analyse(server)["malignancy"]["operating_points"]
        assert server.get("/v1/model").json()["operating_points"] == [p.model_dump() for p in points]
    assert (low["name"], low["reached"]) == ("low", True)
    assert (high["name"], high["reached"]) == ("high", False)


@pytest.mark.parametrize("option", ["maps", "overlay"])
def test_an_unknown_class_is_explained(server: Running, option: str) -> None:
    response = server.post("/v1/analyses", files=as_file(PHOTO), params={option: "top,mole"})
    assert response.status_code == 422
    problem = response.json()
    assert problem["type"] == "/v1/problems/invalid-parameter"
    assert option in problem["detail"]
    assert "'mole'" in problem["detail"]
    assert "AKIEC" in problem["detail"]


def test_model_is_described(server: Running, classifier: Classifier) -> None:
    model = server.get("/v1/model").json()
    assert model["sha256"] == classifier.manifest.graph_sha256
    assert model["classes"] == list(CODES)
    assert model["engine"]["name"] == classifier.engine_info.name
    assert model["preprocessing"]["size"] == classifier.manifest.preprocessing.size


def test_model_card_is_markdown(server: Running, classifier: Classifier) -> None:
    response = server.get(server.get("/v1/model").json()["card"])
    assert response.status_code == (200 if classifier.bundle.model_card else 404)
    if classifier.bundle.model_card:
        assert response.headers["content-type"].startswith("text/markdown")
        assert response.text == classifier.bundle.model_card


def test_classes_are_the_nine_answers(server: Running) -> None:
    classes = server.get("/v1/classes").json()
    assert [c["index"] for c in classes] == list(range(9))
    assert [c["code"] for c in classes] == [*CODES, "NOT_CONFIDENT"]
    assert {c["code"] for c in classes if c["malignant"]} == {"MEL", "BCC", "AKIEC", "SCC"}


def test_a_model_without_a_card(classifier: Classifier, tmp_path: Path) -> None:
    for file in classifier.bundle.path.iterdir():
        if file.name != CARD_NAME:
            (tmp_path / file.name).symlink_to(file)
    with running(Classifier(tmp_path, engine="onnxruntime")) as server:
        response = server.get("/v1/model/card")
    assert response.status_code == 404
    assert "no model card" in response.json()["detail"]
