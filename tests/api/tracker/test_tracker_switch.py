"""The tracker on and off, over restarts, and towards other sites."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tracker_client import NOBODY, TrackerClient, drawn, keeping, problem

from lesionlens import Classifier
from lesionlens.tracker import NewAnalysis, Tracker
from serving import GatedEngine, as_file, behind, running, wait_until

ROUTES = (
    ("GET", "/v1/people"),
    ("POST", "/v1/people"),
    ("GET", f"/v1/people/{NOBODY}"),
    ("DELETE", f"/v1/lesions/{NOBODY}"),
    ("GET", f"/v1/lesions/{NOBODY}/timeline"),
    ("POST", f"/v1/lesions/{NOBODY}/visits"),
    ("GET", f"/v1/visits/{NOBODY}/photo"),
    ("GET", f"/v1/analyses/{NOBODY}/maps"),
    ("GET", f"/v1/comparisons?before={NOBODY}&after={NOBODY}"),
)

REQUEST: dict[str, Any] = {"files": as_file(drawn()), "timeout": 60}


def analysis(**changes: Any) -> NewAnalysis:
    """What a model said that is not running here."""
    given: dict[str, Any] = {
        "model": "older",
        "version": "0.9",
        "graph_sha256": "b" * 64,
        "engine": "onnxruntime",
        "prediction": 1,
        "probabilities": (0.1, 0.69999, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01001),
        "logits": (0.0,) * 8,
        "malignant_probability": 0.21,
        "seen_box": None,
        "prediction_set": (1, 0),
        "suitability": None,
        "quality": None,
        "maps": None,
    }
    return NewAnalysis(**given | changes)


def test_a_page_can_ask_how_things_are(api: TrackerClient, classifier: Classifier) -> None:
    status = api.get("/v1/tracker").json()
    assert (status["enabled"], status["reason"]) == (True, None)
    assert status["access"] == {"required": False, "granted": True, "password": False}
    manifest = classifier.manifest
    assert status["model"] == {"name": manifest.name, "version": manifest.version, "sha256": manifest.graph_sha256}
    before = status["counts"]
    api.visit(api.lesion()["id"], drawn(51, 9))
    after = api.get("/v1/tracker").json()["counts"]
    grown = {name: after[name] - before[name] for name in after}
    expected = {"people": 1, "lesions": 1, "visits": 1, "analyses": 1, "photos": 1}
    assert grown == expected | {"photo_bytes": len(drawn(51, 9)), "deleted": 0}


def test_a_restart_keeps_everything(classifier: Classifier, tmp_path: Path) -> None:
    with keeping(classifier, tmp_path) as api:
        lesion = api.lesion()
        visit = api.visit(lesion["id"])
    with pytest.raises(httpx.ConnectError):
        httpx.get(api.server.url)
    with keeping(classifier, tmp_path) as api:
        del visit["not_analysed"]
        assert api.get(f"/v1/visits/{visit['id']}").json() == visit
        assert api.get(f"/v1/visits/{visit['id']}/photo").content == drawn()
        assert api.get("/v1/lesions").json()["items"][0]["visit_count"] == 1


def test_what_was_accepted_is_finished_before_the_end(classifier: Classifier, tmp_path: Path) -> None:
    model, engine = behind(GatedEngine, classifier)
    with ThreadPoolExecutor(1) as pool:
        with keeping(model, tmp_path) as api:
            wait_until(lambda: api.server.state.warm)
            lesion = api.lesion()
            engine.gate.clear()
            sending = pool.submit(lambda: httpx.post(f"{api.server.url}/v1/lesions/{lesion['id']}/visits", **REQUEST))
            wait_until(lambda: api.get(f"/v1/lesions/{lesion['id']}").json()["visit_count"] == 1)
            api.server.server.should_exit = True
            wait_until(lambda: api.server.state.draining)
            engine.gate.set()
        visit = sending.result().json()
    assert len(visit["analyses"]) == 1
    with keeping(model, tmp_path) as api:
        assert api.get(f"/v1/visits/{visit['id']}").json()["analyses"] == visit["analyses"]


def test_off_it_says_so_and_the_rest_goes_on(classifier: Classifier, tmp_path: Path) -> None:
    with keeping(classifier, tmp_path / "data", tracker="off") as api:
        for method, path in ROUTES:
            document = problem(api.server.client.request(method, path), 503, "tracker-off")
            assert document["detail"].startswith("The tracker is off. It was turned off")
        status = api.get("/v1/tracker").json()
        assert (status["enabled"], status["counts"]) == (False, None)
        assert "LESIONLENS_TRACKER" in status["reason"]
        assert api.post("/predict", files=as_file(drawn())).status_code == 200
    assert not (tmp_path / "data").exists()


def test_a_store_that_cannot_be_opened_leaves_the_rest(
    classifier: Classifier, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").write_bytes(b"no folder")
    with keeping(classifier, tmp_path / "data") as api:
        document = problem(api.get("/v1/people"), 503, "tracker-off")
        assert "The log of the service says why" in document["detail"]
        assert str(tmp_path) not in document["detail"]
        assert api.post("/predict", files=as_file(drawn())).status_code == 200


def test_a_wrong_address_of_the_data_leaves_the_rest(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LESIONLENS_DATA_DIR", "not/absolute")
    with running(classifier) as server:
        problem(server.get("/v1/people"), 503, "tracker-off")
        assert server.post("/predict", files=as_file(drawn())).status_code == 200


@pytest.mark.parametrize(("method", "path"), [*ROUTES, ("GET", "/v1/tracker"), ("POST", "/v1/session")])
def test_other_origins_learn_nothing_of_records(api: TrackerClient, method: str, path: str) -> None:
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": method}
    for asked in (method, "OPTIONS"):
        headers = api.server.client.request(asked, path, headers=origin).headers
        assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ["/health", "/v1/model", "/v1/classes", "/v1/problems/conflict"])
def test_other_origins_may_use_what_keeps_nothing(api: TrackerClient, path: str) -> None:
    assert api.get(path, headers={"Origin": "https://a.example"}).headers["access-control-allow-origin"] == "*"


def test_what_another_model_said_is_told_without_its_thresholds(classifier: Classifier, tmp_path: Path) -> None:
    with keeping(classifier, tmp_path) as api, Tracker(tmp_path) as store:
        visit = api.visit(api.lesion()["id"])
        odd = {"score": 7.5, "suitable": False}
        store.visits.add_analysis(visit["id"], analysis(graph_sha256="b" * 64, suitability=odd, quality=None))
        store.visits.add_analysis(visit["id"], analysis(graph_sha256="c" * 64, prediction=8, suitability=None))
        ours, unsuitable, unsure = api.get(f"/v1/visits/{visit['id']}").json()["analyses"]
        latest = api.get("/v1/lesions").json()["items"][0]["latest"]
    assert ours["confidence"]["threshold"] == classifier.manifest.confidence_threshold
    assert unsuitable["suitability"] == odd
    assert unsuitable["quality"] is None
    assert (unsuitable["confident"], unsuitable["confidence"]["rule"]) == (False, "suitability")
    assert "Do not rely" in unsuitable["confidence"]["message"]
    assert (unsure["prediction"]["code"], unsure["most_probable"]["code"]) == ("NOT_CONFIDENT", "NV")
    assert unsure["confidence"]["message"] == (
        "The model did not know: the nearest diagnosis, Melanocytic nevus, has 69.9%."
    )
    for stored in (unsuitable, unsure):
        assert stored["confidence"]["threshold"] is None
        assert stored["malignancy"]["operating_points"] == []
        assert stored["model"]["architecture"] is None
        assert stored["prediction_set"] == {"coverage": None, "codes": ["NV", "MEL"]}
    assert (latest["analysis_id"], latest["reached"], latest["suitable"]) == (unsure["id"], [], None)


def test_the_metrics_name_routes_and_no_records(api: TrackerClient) -> None:
    for method, path in (("GET", f"/v1/people/{NOBODY}"), ("DELETE", f"/v1/visits/{NOBODY}")):
        problem(api.server.client.request(method, path), 404, "not-found")
    counted = {"name": "lesionlens_requests_total", "status": "404"}
    assert api.server.metric(**counted, method="GET", route="/v1/people/{person_id}") >= 1
    assert api.server.metric(**counted, method="DELETE", route="/v1/visits/{visit_id}") >= 1
    assert NOBODY not in api.get("/metrics").text


def test_the_reference_tells_of_every_route(api: TrackerClient) -> None:
    document = api.get("/openapi.json").json()
    names = [name for kind in document["components"].values() for name in kind]
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9._-]+", name)] == []  # OpenAPI 3.1, section 4.8.7
    paths: dict[str, Any] = document["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation["tags"], (method, path)
            assert operation["summary"], (method, path)
            if path.startswith(("/v1/people", "/v1/lesions", "/v1/visits", "/v1/comparisons")):
                assert {"401", "403", "404", "422", "503"} <= set(operation["responses"]), (method, path)
                assert operation["security"], (method, path)
    body = paths["/v1/people"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["required"] == ["label"]
    assert list(body["schema"]["properties"]) == ["label", "birth_year", "sex", "skin_type", "note", "id"]
    assert body["examples"]["example 1"]["value"] == {"label": "Ada"}
    changes = paths["/v1/people/{person_id}"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    assert "required" not in changes
    form = paths["/v1/lesions/{lesion_id}/visits"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert list(form["properties"]) == ["file", "id", "taken_at", "note", "analyse"]
