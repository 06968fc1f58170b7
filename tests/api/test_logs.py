"""The log helps whoever runs the service, and tells nothing of those who use it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from lesionlens import Classifier
from lesionlens.api.logs import configure_logging
from lesionlens.settings import load_settings
from serving import FailingEngine, as_file, behind, draw_lesion, encode, running, wait_until

PHOTO = encode(draw_lesion())


@pytest.fixture(autouse=True)
def _keep_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_json_lines_tell_of_each_request(classifier: Classifier) -> None:
    stream = io.StringIO()
    configure_logging(load_settings(log_format="json"), stream)
    with running(classifier) as server:
        server.post("/predict", files=as_file(PHOTO, "jane-doe.jpg"), headers={"X-Request-ID": "r-1"})
        server.post("/v1/analyses", files=as_file(b"nonsense", "jane-doe.jpg"))
        server.get("/livez")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    answered = [line for line in lines if line["event"] == "answered"]
    assert [(line["route"], line["status"]) for line in answered] == [("/predict", 200), ("/v1/analyses", 415)]
    assert answered[0]["request_id"] == "r-1"
    assert answered[0]["method"] == "POST"
    assert answered[0]["ms"] > 0
    assert {line["level"] for line in lines} == {"info"}
    assert any(line["logger"] == "uvicorn.error" for line in lines)  # the server under the app logs alike
    assert "jane" not in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_failure_is_logged_with_its_place_but_without_the_photo(classifier: Classifier, log_format: str) -> None:
    stream = io.StringIO()
    configure_logging(load_settings(log_format=log_format), stream)
    model, engine = behind(FailingEngine, classifier)
    with running(model) as server:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        server.post("/predict", files=as_file(PHOTO, "jane-doe.jpg"), headers={"X-Request-ID": "r-2"})
    log = stream.getvalue()
    assert "EngineError: out of memory" in log
    assert "r-2" in log
    assert "jane" not in log
    assert "IHDR" not in log
    assert "\\x89PNG" not in log
    assert "\x1b[" not in log, "colours are for terminals"


def test_level_is_a_setting(classifier: Classifier) -> None:
    stream = io.StringIO()
    configure_logging(load_settings(log_level="error"), stream)
    with running(classifier) as server:
        server.post("/predict", files=as_file(PHOTO))
    assert stream.getvalue() == ""
