"""The SkinTracker contract, to the byte."""

from __future__ import annotations

import base64
import io
import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from lesionlens import Classifier
from lesionlens.imaging import decode
from serving import BlindEngine, Running, as_file, behind, draw_lesion, encode, running, with_manifest


def predict(server: Running, data: bytes) -> dict[str, Any]:
    response = server.post("/predict", files=as_file(data))
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    answer: dict[str, Any] = response.json()
    return answer


def picture(answer: dict[str, Any]) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(answer["gradcam"], validate=True)))
    assert image.format == "PNG"
    return image.convert("RGB")


def pixels(image: Image.Image) -> npt.NDArray[np.int16]:
    return np.asarray(image, dtype=np.int16)


def assert_contract(answer: dict[str, Any]) -> None:
    assert set(answer) == {"prediction", "probabilities", "max_confidence", "gradcam"}
    assert type(answer["prediction"]) is int
    assert len(answer["probabilities"]) == 9
    assert all(type(p) is float for p in answer["probabilities"])
    eight = answer["probabilities"][:8]
    assert math.isclose(sum(eight), 1.0, abs_tol=1e-5)
    assert type(answer["max_confidence"]) is float
    assert answer["max_confidence"] == max(eight)
    confident = answer["max_confidence"] >= 0.5
    assert answer["prediction"] == (eight.index(max(eight)) if confident else 8)
    assert answer["probabilities"][8] == (0.0 if confident else 1.0)


def test_answer_for_every_diagnosis(server: Running, real_sample: dict[str, bytes]) -> None:
    for data in real_sample.values():
        answer = predict(server, data)
        assert_contract(answer)
        assert picture(answer).size == decode(data).image.size  # never enlarged


def test_a_drawn_photo_is_answered_too(server: Running) -> None:
    assert_contract(predict(server, encode(draw_lesion())))


def test_numbers_are_plain(server: Running) -> None:
    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    text = server.post("/predict", files=as_file(encode(draw_lesion()))).text
    json.loads(text, parse_constant=refuse)
    assert text == json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize(("temperature", "confident"), [(50.0, False), (0.01, True)])
def test_not_confident_below_one_half(classifier: Classifier, temperature: float, confident: bool) -> None:
    with running(with_manifest(classifier, temperature=temperature)) as server:
        answer = predict(server, encode(draw_lesion()))
    assert_contract(answer)
    assert (answer["prediction"] != 8) is confident


def test_the_threshold_is_one_half_whatever_the_bundle_says(classifier: Classifier) -> None:
    with running(with_manifest(classifier, temperature=0.01, confidence_threshold=1.0)) as server:
        assert_contract(predict(server, encode(draw_lesion())))


@pytest.mark.parametrize(
    ("size", "expected"), [((1600, 1200), (512, 384)), ((600, 1800), (171, 512)), ((200, 120), (200, 120))]
)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_heatmap_size(server: Running, size: tuple[int, int], expected: tuple[int, int], image_format: str) -> None:
    answer = predict(server, encode(draw_lesion(*size), image_format))
    assert picture(answer).size == expected


def test_heatmap_size_is_a_setting(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADCAM_MAX_SIDE", "100")
    with running(classifier) as server:
        assert picture(predict(server, encode(draw_lesion(300, 200)))).size == (100, 67)


def test_the_size_of_heatmaps_changes_no_answer(classifier: Classifier) -> None:
    """Also of a large JPEG, which is decoded at reduced scale."""
    large = encode(draw_lesion(3600, 3200), "JPEG")
    with running(classifier, gradcam_max_side=64) as small, running(classifier, gradcam_max_side=2048) as big:
        assert predict(small, large)["probabilities"] == predict(big, large)["probabilities"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_before_anything_else(server: Running, orientation: int) -> None:
    upright = draw_lesion(320, 240)
    # The turn that undoes what the tag asks for, so that the tagged photo shows the upright one.
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    plain = predict(server, encode(upright))
    turned = predict(server, encode(stored, orientation=orientation))
    assert turned["probabilities"] == pytest.approx(plain["probabilities"], abs=1e-5)
    assert np.abs(pixels(picture(turned)) - pixels(picture(plain))).max() <= 1


def jet(heat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """JET as MATLAB defined it: three trapezia, each the last one moved by a quarter."""
    return np.stack([np.clip(1.5 - np.abs(4 * heat - c), 0, 1) for c in (3, 2, 1)], axis=-1) * 255


@pytest.mark.parametrize("size", [(256, 256), (320, 240)])
def test_heatmap_is_six_parts_photo_and_four_parts_jet(
    server: Running, classifier: Classifier, size: tuple[int, int]
) -> None:
    photo = draw_lesion(*size)
    answer = predict(server, encode(photo))
    [analysis] = classifier.analyse([photo])
    assert answer["probabilities"][:8] == pytest.approx(analysis.probabilities.tolist(), abs=1e-5)
    top = analysis.maps[analysis.top]
    left, upper, right, lower = (
        round(share * side) for share, side in zip(analysis.seen_box, (*size, *size), strict=True)
    )
    scaled = Image.fromarray((top - top.min()) / (top.max() - top.min()))
    heat = np.zeros((size[1], size[0]))
    heat[upper:lower, left:right] = scaled.resize((right - left, lower - upper), Image.Resampling.BILINEAR)
    expected = 0.6 * pixels(photo) + 0.4 * jet(np.clip(heat, 0, 1))
    assert np.abs(pixels(picture(answer)) - expected).max() <= 3


def test_not_confident_answers_have_the_heatmap_of_the_top_class(classifier: Classifier) -> None:
    data = encode(draw_lesion())
    with running(with_manifest(classifier, temperature=50.0)) as unsure, running(classifier) as server:
        assert predict(unsure, data)["prediction"] == 8
        assert predict(unsure, data)["gradcam"] == predict(server, data)["gradcam"]


def test_an_answer_without_its_heatmap_is_still_an_answer(
    classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    model, _ = behind(BlindEngine, classifier)
    with running(model) as server:
        answer = predict(server, encode(draw_lesion()))
        richer = server.post("/v1/analyses?overlay=all", files=as_file(encode(draw_lesion()))).json()
    assert set(answer) == {"prediction", "probabilities", "max_confidence"}
    assert richer["overlays"] == {}
    assert "could not be drawn" in caplog.text


@pytest.mark.parametrize(
    "request_body",
    [
        {},
        {"json": {"file": "x"}},
        {"files": {"image": ("a.jpg", b"x", "image/jpeg")}},
        {"files": {"other": (None, "text")}},
        {"files": {"file": (None, "text, not a file")}},
        {"files": as_file(b"")},
        {"files": as_file(b"not a picture")},
        {"files": as_file(b"\xff\xd8\xff\xe0 cut off")},
        {"files": [("file", ("a.jpg", b"x")), ("file", ("b.jpg", b"x"))]},
        {"content": b"--x\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"", "headers": {"content-type": "multipart/form-data"}},
    ],
    ids=["nothing", "json", "other-name", "other-text", "text", "empty", "noise", "cut", "two", "broken", "boundary"],
)
def test_what_is_no_photo_is_a_400(server: Running, request_body: dict[str, Any]) -> None:
    response = server.post("/predict", **request_body)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert list(body) == ["error"]
    assert isinstance(body["error"], str)
    assert body["error"]


def test_truncated_photo_is_a_400(server: Running) -> None:
    whole = encode(draw_lesion(), "PNG")
    assert server.post("/predict", files=as_file(whole[: len(whole) // 2])).status_code == 400


def test_other_fields_beside_the_photo_do_no_harm(server: Running) -> None:
    files = as_file(encode(draw_lesion()))
    assert server.post("/predict", files=files, data={"user": "1", "note": "left arm"}).status_code == 200


def test_health(server: Running) -> None:
    response = server.get("/health")
    assert response.status_code == 200
    assert response.content == b'{"status":"healthy"}'


@pytest.mark.parametrize("origin", ["https://skintracker.example", "http://localhost:3000", "null"])
def test_any_origin_may_call(server: Running, origin: str) -> None:
    for response in (
        server.post("/predict", files=as_file(encode(draw_lesion())), headers={"Origin": origin}),
        server.post("/predict", headers={"Origin": origin}),
        server.get("/health", headers={"Origin": origin}),
    ):
        assert response.headers["access-control-allow-origin"] == "*"


def test_preflight(server: Running) -> None:
    response = server.client.options(
        "/predict",
        headers={
            "Origin": "https://skintracker.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-custom",
        },
    )
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "x-custom" in response.headers["access-control-allow-headers"]


def test_eight_clients_at_once_get_what_each_gets_alone(server: Running, real_sample: dict[str, bytes]) -> None:
    photos = list(real_sample.values())
    assert len(photos) == 8
    alone = [predict(server, data) for data in photos]

    def ask(data: bytes) -> dict[str, Any]:
        response = httpx.post(f"{server.url}/predict", files=as_file(data), timeout=60)
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, photos * 2))
    for one, other in zip(alone * 2, together, strict=True):
        assert other["prediction"] == one["prediction"]
        assert other["probabilities"] == pytest.approx(one["probabilities"], abs=1e-5)
        assert np.abs(pixels(picture(other)) - pixels(picture(one))).max() <= 3
