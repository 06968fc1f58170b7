"""Traces reach a real collector, whole and one for each request, and tell nothing of the photos."""

from __future__ import annotations

import asyncio
import io
import json
import threading

import httpx
import pytest

from lesionlens import Classifier
from lesionlens.api.logs import configure_logging
from lesionlens.api.tracing import here, span
from lesionlens.settings import load_settings
from log_keeping import keep_logging
from otlp_collector import Collector, Sent, collector, no_otel_variables
from serving import (
    FailingEngine,
    GatedEngine,
    as_file,
    behind,
    classifier,
    draw_lesion,
    encode,
    running,
    wait_until,
)

__all__ = ["classifier", "collector", "keep_logging", "no_otel_variables"]

PHOTO = encode(draw_lesion())
SERVER_KIND = 2
STAGES = ("decode", "queue", "inference", "overlay")


def test_a_photo_is_a_span_with_its_stages_under_it(classifier: Classifier, collector: Collector) -> None:
    with running(classifier) as server:
        server.post("/predict", files=as_file(PHOTO, "jane-doe.png"), headers={"X-Request-ID": "r-1"})
    [request] = collector.named("POST /predict")
    assert (request.kind, request.parent, request.failed) == (SERVER_KIND, "", False)
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": 200,
        "lesionlens.request_id": "r-1",
    }
    stages = collector.under(request)
    assert tuple(sorted(stages, key=lambda name: stages[name].start)) == STAGES
    assert stages["queue"].end == stages["inference"].start
    for stage in stages.values():
        assert request.start <= stage.start <= stage.end <= request.end
    assert stages["inference"].attributes == {
        "lesionlens.batch_size": 1,
        "lesionlens.engine": "onnxruntime",
        "lesionlens.precision": classifier.engine_info.precision,
        "lesionlens.model": classifier.manifest.name,
    }
    assert stages["overlay"].attributes == {"lesionlens.heatmaps": 1}
    assert request.resource["service.name"] == "lesionlens"
    assert request.resource["service.version"]


def test_the_spans_last_as_long_as_the_service_says(classifier: Classifier, collector: Collector) -> None:
    with running(classifier) as server:
        timings = server.post("/v1/analyses?overlay=top", files=as_file(PHOTO)).json()["timings_ms"]
    stages = collector.under(collector.named("POST /v1/analyses")[0])
    for name in ("queue", "inference"):
        assert (stages[name].end - stages[name].start) / 1e6 == pytest.approx(timings[name], abs=0.1)


def test_the_callers_trace_goes_on(classifier: Classifier, collector: Collector) -> None:
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    with running(classifier) as server:
        server.get("/v1/classes", headers={"traceparent": f"00-{trace}-{parent}-01"})
        server.get("/v1/model", headers={"traceparent": "nonsense"})
    [continued], [own] = collector.named("GET /v1/classes"), collector.named("GET /v1/model")
    assert (continued.trace, continued.parent) == (trace, parent)
    assert own.trace != trace
    assert own.parent == ""


def test_a_caller_that_does_not_sample_is_followed(classifier: Classifier, collector: Collector) -> None:
    with running(classifier) as server:
        header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
        server.get("/v1/classes", headers={"traceparent": header})
        server.get("/v1/model")
    assert {request.name for request in collector.spans} == {"GET /v1/model"}


def test_each_of_many_requests_at_once_has_one_trace(classifier: Classifier, collector: Collector) -> None:
    async def ask(url: str) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            await asyncio.gather(
                *(client.post("/predict", files=as_file(PHOTO), headers={"X-Request-ID": f"r-{i}"}) for i in range(8))
            )

    model, engine = behind(GatedEngine, classifier)
    with running(model, max_batch=4) as server:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        asking = threading.Thread(target=lambda: asyncio.run(ask(server.url)))
        asking.start()
        # Some are in a forward pass, which the gate holds, and all others wait: the next ones are full.
        wait_until(lambda: sum(engine.batches[1:]) + server.metric("lesionlens_queue_depth") == 8)
        engine.gate.set()
        asking.join()
    requests = collector.named("POST /predict")
    assert {request.attributes["lesionlens.request_id"] for request in requests} == {f"r-{i}" for i in range(8)}
    assert len({request.trace for request in requests}) == 8
    for request in requests:
        assert sorted(span.name for span in collector.spans if span.trace == request.trace) == sorted(
            [request.name, *STAGES]
        )
        assert tuple(sorted(collector.under(request))) == tuple(sorted(STAGES))
    sizes = engine.batches[1:]  # after the warm-up
    assert max(sizes) > 1
    _check_links(collector, requests, sizes)


def _check_links(collector: Collector, requests: list[Sent], batches: list[int]) -> None:
    """Each forward pass is linked with the other requests whose photos were in it."""
    by_id = {request.id: request for request in requests}
    sizes: list[int] = []
    for request in requests:
        inference = collector.under(request)["inference"]
        size = inference.attributes["lesionlens.batch_size"]
        sizes.append(size)
        assert len(inference.links) == size - 1
        for other in inference.links:
            assert other != request.id
            assert collector.under(by_id[other])["inference"].start == pytest.approx(inference.start, abs=2e6)
    assert sorted(sizes) == sorted(size for size in batches for _ in range(size))


def test_work_on_the_records_is_traced(classifier: Classifier, collector: Collector) -> None:
    with running(classifier, tracker="on") as server:
        person = server.post("/v1/people", json={"label": "Jane Doe"}).json()
        place = {"view": "back", "x": 0.5, "y": 0.25}
        lesion = server.post(f"/v1/people/{person['id']}/lesions", json=place).json()
        server.post(f"/v1/lesions/{lesion['id']}/visits", files=as_file(PHOTO)).raise_for_status()
    [request] = collector.named("POST /v1/people")
    store = collector.under(request)["records"]
    assert set(store.attributes) == {"code.function.name"}
    [visit] = collector.named("POST /v1/lesions/{lesion_id}/visits")
    assert {"photos", "records"} & set(collector.under(visit))
    assert b"Jane" not in collector.raw
    assert lesion["id"].encode() not in collector.raw


def test_nothing_of_the_photo_or_the_client_is_told(
    classifier: Classifier, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")  # the framework's own spans would tell the query
    with running(classifier) as server:
        server.post(
            "/v1/analyses?overlay=top&note=canary-query",
            files=as_file(PHOTO, "canary-name.png"),
            headers={"User-Agent": "canary-agent", "Authorization": "Bearer canary-key", "Cookie": "a=canary-cookie"},
        )
        server.client.request("CANARY", "/v1/analyses")
        server.get("/canary/path")
        server.post("/predict", files=as_file(b"canary-bytes", "canary-name.png"))
    assert len(collector.named("POST /v1/analyses")) == 1
    assert b"canary" not in collector.raw.lower()
    assert b"IHDR" not in collector.raw
    assert b"127.0.0.1" not in collector.raw


def test_failures_show(classifier: Classifier, collector: Collector) -> None:
    model, engine = behind(FailingEngine, classifier)
    with running(model) as server:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        server.post("/predict", files=as_file(PHOTO))
        server.post("/v1/analyses", files=as_file(b"nonsense"))
    [failed], [refused] = collector.named("POST /predict"), collector.named("POST /v1/analyses")
    assert failed.failed
    assert failed.attributes["error.type"] == "500"
    assert not refused.failed, "a fault of the client is none of the service"
    assert refused.attributes["http.response.status_code"] == 415
    assert collector.under(refused)["decode"].attributes == {"error.type": "UnsupportedImageError"}
    assert b"/secret/path" not in collector.raw


def test_probes_are_not_traced(classifier: Classifier, collector: Collector) -> None:
    with running(classifier) as server:
        for path in ("/livez", "/readyz", "/metrics", "/health", "/v1/classes"):
            server.get(path)
    assert [request.name for request in collector.spans] == ["GET /v1/classes"]


@pytest.mark.usefixtures("keep_logging")
def test_log_lines_carry_the_trace(classifier: Classifier, collector: Collector) -> None:
    stream = io.StringIO()
    configure_logging(load_settings(log_format="json"), stream)
    with running(classifier) as server:
        server.post("/predict", files=as_file(PHOTO))
    [line] = [entry for entry in map(json.loads, stream.getvalue().splitlines()) if entry["event"] == "answered"]
    [request] = collector.named("POST /predict")
    assert line["trace_id"] == request.trace
    assert line["request_id"] == request.attributes["lesionlens.request_id"]


def test_outside_of_a_traced_request_a_span_is_nothing() -> None:
    with span("decode", {"lesionlens.heatmaps": 1}):
        assert here() is None
