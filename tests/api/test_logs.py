"""The log helps whoever runs the service, and tells nothing of those who use it."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from lesionlens import Classifier
from lesionlens.api.logs import configure_logging
from lesionlens.settings import load_settings
from log_keeping import keep_logging
from serving import BlindEngine, FailingEngine, Program, as_file, behind, draw_lesion, encode, running, wait_until

__all__ = ["keep_logging"]

pytestmark = pytest.mark.usefixtures("keep_logging")

PHOTO = encode(draw_lesion())


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
    if log_format == "json":
        [line] = [entry for entry in map(json.loads, log.splitlines()) if "exception.type" in entry]
        assert line["exception.type"] == "EngineError"
        assert line["exception.message"].startswith("out of memory")
        assert line["exception.stacktrace"].startswith("Traceback")
        assert (line["level"], line["request_id"]) == ("error", "r-2")
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


ALWAYS = {"timestamp", "level", "logger", "event"}


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_whole_life_is_json(tmp_path: Path) -> None:
    """From the first line of the process to its last, with new tables, a request, a refusal and a broken database."""
    program = Program(LESIONLENS_LOG_FORMAT="json", LESIONLENS_DATA_DIR=str(tmp_path), LESIONLENS_LOG_LEVEL="debug")
    url = program.url()
    httpx.post(f"{url}/predict", files=as_file(PHOTO, "jane-doe.png"), timeout=60).raise_for_status()
    assert httpx.post(f"{url}/predict", files=as_file(b"nonsense"), timeout=60).status_code == 400
    program.end()
    entries = [json.loads(line) for line in program.lines]
    for entry in entries:
        assert set(entry) >= ALWAYS, entry
        datetime.fromisoformat(entry["timestamp"])
    events = [entry["event"] for entry in entries]
    assert "serving" in events
    assert any(event.startswith("Running upgrade") for event in events)
    assert not any(event.startswith(("Context impl", "Will assume")) for event in events)
    assert any(event.startswith("Finished server process") for event in events)
    answered = [entry for entry in entries if entry["event"] == "answered"]
    assert all(entry["request_id"] for entry in answered)
    assert "jane" not in "".join(program.lines)


def test_a_heatmap_that_failed_is_logged_under_the_request(classifier: Classifier) -> None:
    """Though it is drawn in a thread of its own."""
    stream = io.StringIO()
    configure_logging(load_settings(log_format="json"), stream)
    model, _ = behind(BlindEngine, classifier)
    with running(model) as server:
        server.post("/predict", files=as_file(PHOTO), headers={"X-Request-ID": "r-3"})
    [failure] = [line for line in lines(stream) if line["level"] == "error"]
    assert failure["request_id"] == "r-3"
    assert "could not be drawn" in failure["event"]
    assert failure["exception.type"]


@pytest.mark.parametrize("wrong", [{"LESIONLENS_MODEL": "/no/such/model"}, {"OTEL_TRACES_EXPORTER": "zipkin"}])
def test_an_error_at_the_start_is_json(wrong: dict[str, str]) -> None:
    program = Program(LESIONLENS_LOG_FORMAT="json", **wrong)
    assert program.wait() == 1
    [line] = map(json.loads, program.lines)
    assert (line["level"], line["event"]) == ("critical", "the service cannot start")
    assert next(iter(wrong.values())) in line["reason"]


def test_what_nobody_caught_is_json() -> None:
    program = (
        "import threading, warnings; from lesionlens.api.logs import configure_logging; "
        "from lesionlens.settings import load_settings; configure_logging(load_settings(log_format='json')); "
        "warnings.warn('mind this'); "
        "thread = threading.Thread(target=lambda: 1 / 0, name='helper'); thread.start(); thread.join(); "
        "raise ValueError('no way')"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    warning, thread, end = map(json.loads, result.stderr.splitlines())
    assert (warning["level"], warning["logger"]) == ("warning", "py.warnings")
    assert "mind this" in warning["event"]
    assert (thread["event"], thread["exception.type"]) == ("the thread helper failed", "ZeroDivisionError")
    assert (end["level"], end["exception.type"], end["exception.message"]) == ("critical", "ValueError", "no way")


@pytest.mark.parametrize("how", [True, ValueError("odd")])
def test_exceptions_are_told_however_they_are_given(how: bool | ValueError) -> None:
    stream = io.StringIO()
    configure_logging(load_settings(log_format="json"), stream)
    log = structlog.stdlib.get_logger("lesionlens")
    try:
        raise ValueError("odd")
    except ValueError:
        log.error("failed", exc_info=how)
    log.error("fine", exc_info=None)
    failed, fine = lines(stream)
    assert (failed["exception.type"], failed["exception.message"]) == ("ValueError", "odd")
    assert set(fine) == ALWAYS


def test_alembics_warnings_are_heard() -> None:
    stream = io.StringIO()
    configure_logging(load_settings(log_format="json"), stream)
    log = logging.getLogger("alembic.runtime.migration")
    log.info("Context impl SQLiteImpl.")
    log.info("Will assume non-transactional DDL.")
    log.warning("Context impl is odd")
    log.info("Running upgrade  -> 0001")
    assert [line["event"] for line in lines(stream)] == ["Context impl is odd", "Running upgrade  -> 0001"]


def test_a_thread_that_failed_and_an_end_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    configure_logging(load_settings(log_format="json"), stream)
    for work in (lambda: 1 / 0, lambda: sys.exit("enough")):  # to end a thread on purpose is no failure
        thread = threading.Thread(target=work, name="helper")
        thread.start()
        thread.join()
    error = ValueError("no way")
    sys.excepthook(ValueError, error, None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    failed, ended = lines(stream)
    assert (failed["event"], failed["exception.message"]) == ("the thread helper failed", "division by zero")
    assert (ended["level"], ended["exception.message"]) == ("critical", "no way")
    assert capsys.readouterr().err.strip() == "KeyboardInterrupt"
