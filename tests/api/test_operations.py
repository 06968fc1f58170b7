"""What those who run the service rely on."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import threading
import time
from pathlib import Path

import pytest

from lesionlens import DISCLAIMER, Classifier
from lesionlens.api import create_app
from lesionlens.api.examples import ANALYSIS
from lesionlens.errors import BundleError
from lesionlens.settings import load_settings
from serving import FailingEngine, GatedEngine, Running, as_file, behind, draw_lesion, encode, running, wait_until

PHOTO = encode(draw_lesion())


def test_alive_before_ready(classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    engine.gate.clear()
    with running(model) as server:
        assert server.get("/livez").json() == {"status": "alive"}
        warming = server.get("/readyz")
        assert (warming.status_code, warming.json()) == (503, {"status": "warming up"})
        engine.gate.set()
        wait_until(lambda: server.get("/readyz").status_code == 200)
        assert server.get("/readyz").json() == {"status": "ready"}


def test_a_model_that_cannot_compute_never_becomes_ready(
    classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    model, engine = behind(FailingEngine, classifier)
    engine.gate.clear()
    with running(model) as server:
        time.sleep(0.2)
        assert server.get("/readyz").status_code == 503
        assert server.get("/livez").status_code == 200


def test_not_ready_while_draining_yet_answering(classifier: Classifier) -> None:
    with running(classifier, drain_seconds=1.5) as server:
        wait_until(lambda: server.get("/readyz").status_code == 200)
        server.server.should_exit = True
        wait_until(lambda: server.get("/readyz").json() == {"status": "shutting down"})
        assert server.post("/predict", files=as_file(PHOTO)).status_code == 200


def test_draining_can_be_cut_short(classifier: Classifier) -> None:
    with running(classifier, drain_seconds=600) as server:
        wait_until(lambda: server.state.warm)
        server.server.should_exit = True
        wait_until(lambda: server.get("/readyz").json() == {"status": "shutting down"})
        server.server.force_exit = True  # as a second Ctrl-C does
        wait_until(lambda: not server.thread.is_alive(), 30)


def test_an_app_can_be_started_again(classifier: Classifier) -> None:
    app = create_app(load_settings(), classifier)
    state = app.state.lesionlens

    async def start_and_stop() -> None:
        async with app.router.lifespan_context(app):
            assert not state.draining
            while not state.ready:
                await asyncio.sleep(0.02)
            assert b"lesionlens_queue_depth 0.0" in state.metrics.expose()
        assert not state.ready

    for _ in range(2):
        asyncio.run(asyncio.wait_for(start_and_stop(), 60))


def test_stopping_during_the_warm_up(classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    engine.gate.clear()
    with running(model) as server:
        assert server.get("/livez").status_code == 200
        threading.Timer(0.3, engine.gate.set).start()


def test_model_is_loaded_by_name(classifier: Classifier) -> None:
    with running(None, model=str(classifier.bundle.path), engine="onnxruntime") as server:
        assert server.get("/v1/model").json()["sha256"] == classifier.manifest.graph_sha256


def test_a_file_of_weights_is_a_model(classifier: Classifier, tmp_path: Path) -> None:
    """Also where the app is run by another server than `lesionlens serve`."""
    weights = tmp_path / "model.pth"
    weights.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    shutil.copytree(classifier.bundle.path, tmp_path / "cache" / f"model-{digest[:16]}")  # as if converted before
    with running(None, model=str(weights), cache_dir=tmp_path / "cache", engine="onnxruntime") as server:
        assert server.get("/v1/model").json()["sha256"] == classifier.manifest.graph_sha256


def test_an_app_that_was_not_started_says_so() -> None:
    with pytest.raises(RuntimeError, match="lifespan"):
        _ = create_app(load_settings()).state.lesionlens.running


def test_apps_share_nothing(classifier: Classifier) -> None:
    with running(classifier) as one, running(classifier) as other:
        one.post("/predict", files=as_file(PHOTO))
        labels = {"method": "POST", "route": "/predict", "status": "200"}
        wait_until(lambda: one.metric("lesionlens_requests_total", **labels) == 1)
        assert other.metric("lesionlens_requests_total", **labels) == 0


def test_metrics(classifier: Classifier) -> None:
    with running(classifier) as server:
        answer = server.post("/v1/analyses", files=as_file(PHOTO)).json()
        server.post("/predict", files=as_file(b"nonsense"))
        server.get("/no/such/path/12345")
        server.client.request("BREW", "/predict")
        response = server.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    text = response.text
    code = answer["prediction"]["code"]
    for line in (
        'lesionlens_requests_total{method="POST",route="/v1/analyses",status="200"} 1.0',
        'lesionlens_requests_total{method="POST",route="/predict",status="400"} 1.0',
        'lesionlens_requests_total{method="GET",route="other",status="404"} 1.0',
        'lesionlens_request_seconds_count{route="/v1/analyses"} 1.0',
        f'lesionlens_answers_total{{code="{code}"}} 1.0',
        "lesionlens_queue_depth 0.0",
        "lesionlens_in_progress 0.0",
        f'version="{classifier.manifest.version}"}} 1.0',
    ):
        assert line in text, line
    assert re.search(r"^lesionlens_batch_size_count [12]\.0$", text, re.MULTILINE)
    assert re.search(r"^lesionlens_inference_seconds_sum \d", text, re.MULTILINE)
    assert 'lesionlens_answers_total{code="NOT_CONFIDENT"}' in text
    assert "12345" not in text
    assert "BREW" not in text


@pytest.mark.parametrize("given", ["abc-123", "A" * 128, "6f1d.2_3"])
def test_request_id_is_echoed(server: Running, given: str) -> None:
    assert server.get("/health", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "two words", "A" * 129, 'quote"', "<b>"])
def test_request_id_is_made_where_it_is_missing_or_odd(server: Running, given: str) -> None:
    first = server.get("/health", headers={"X-Request-ID": given}).headers["x-request-id"]
    second = server.get("/health", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert first != second


@pytest.mark.parametrize("path", ["/", "/docs", "/health", "/v1/classes", "/static/base.css", "/readyz", "/metrics"])
def test_head_is_get_without_a_body(server: Running, path: str) -> None:
    wait_until(lambda: server.state.warm)
    head = server.client.head(path)
    assert head.status_code == server.get(path).status_code == 200
    assert head.content == b""


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/v1/model", "/health", "/nothing"])
def test_security_headers(server: Running, path: str) -> None:
    headers = server.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "server" not in headers


def test_answers_are_not_cached_and_files_are_checked(server: Running) -> None:
    assert server.post("/predict", files=as_file(PHOTO)).headers["cache-control"] == "no-store"
    first = server.get("/static/app.js")
    assert first.headers["cache-control"] == "no-cache"
    assert server.get("/static/app.js", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_origins_can_be_limited(classifier: Classifier) -> None:
    with running(classifier, cors_origins=("https://a.example",)) as server:
        allowed = server.get("/health", headers={"Origin": "https://a.example"})
        other = server.get("/health", headers={"Origin": "https://b.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-origin" not in other.headers


def test_openapi_describes_the_uploads_with_real_examples(server: Running) -> None:
    api = server.get("/openapi.json").json()
    assert DISCLAIMER in api["info"]["description"]
    for path in ("/predict", "/v1/analyses"):
        body = api["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert body["required"] == ["file"]
    [example] = api["components"]["schemas"]["AnalysisResponse"]["examples"]
    assert example["probabilities"] == ANALYSIS["probabilities"]
    described = api["components"]["schemas"]["AnalysisResponse"]["properties"]
    assert "Never show" in described["confident"]["description"]
    assert {"prediction_set", "suitability", "quality"} <= set(described)


def test_page_carries_the_disclaimer(server: Running) -> None:
    for path in ("/", "/docs"):
        page = server.get(path).text
        assert DISCLAIMER in page
        assert "http://" not in page
        assert "https://" not in page


def test_a_missing_model_is_told(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not a bundle"):
        Classifier(tmp_path)
