"""Traces get to where the standard variables send them, and no answer waits for it."""

from __future__ import annotations

import socket
import time

import httpx
import pytest

from lesionlens import Classifier
from otlp_collector import Collector, collector, no_otel_variables
from serving import Program, as_file, classifier, draw_lesion, encode, running

__all__ = ["classifier", "collector", "no_otel_variables"]

pytestmark = pytest.mark.usefixtures("no_otel_variables")

PHOTO = encode(draw_lesion())


def test_standard_variables_decide(
    classifier: Classifier, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "skin-clinic")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    with running(classifier) as server:
        server.get("/v1/classes")
    [request] = collector.spans
    assert request.resource["service.name"] == "skin-clinic"
    assert request.resource["deployment.environment.name"] == "test"
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with running(classifier) as server:
        server.get("/v1/classes")
    assert len(collector.spans) == 1


def test_a_process_sends_what_is_left_when_it_ends(collector: Collector) -> None:
    program = Program(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="600000")
    httpx.post(f"{program.url()}/predict", files=as_file(PHOTO), timeout=60).raise_for_status()
    assert collector.spans == [], "the next sending is ten minutes away"
    program.end()
    assert len(collector.named("POST /predict")) == 1


def test_a_collector_that_is_down_costs_no_answer(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        with running(classifier) as server:
            for _ in range(5):
                assert server.post("/predict", files=as_file(PHOTO)).status_code == 200
                time.sleep(0.1)
            begun = time.monotonic()
        assert time.monotonic() - begun < 15


def test_a_collector_that_never_answers_does_not_hold_up_the_end(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with running(classifier) as server:
            assert server.post("/predict", files=as_file(PHOTO)).status_code == 200
            begun = time.monotonic()
        assert time.monotonic() - begun < 15
