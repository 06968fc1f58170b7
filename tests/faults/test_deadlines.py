"""A photo is answered in time or told that it will not be; and an engine that hangs is noticed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import Request
from fault_tools import PHOTO, customised, predict

from lesionlens import Classifier
from lesionlens.api.batching import BatchWorker
from lesionlens.api.deadlines import time_allowed
from lesionlens.api.force_end import FORCED, force_end
from lesionlens.api.metrics import Metrics
from lesionlens.settings import load_settings
from serving import GatedEngine, Program, Running, as_file, behind, running, wait_until


@pytest.fixture
def hung(classifier: Classifier) -> Iterator[tuple[Running, GatedEngine]]:
    """A service whose engine has hung with one photo in it; its settings are short."""
    model, engine = behind(GatedEngine, classifier)
    with running(model, request_timeout=1.0, stuck_seconds=0.5, max_batch=1) as server:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        engine.batches.clear()
        first = threading.Thread(target=predict, args=(server.url,))
        first.start()
        wait_until(lambda: engine.batches == [1])
        yield server, engine
        engine.gate.set()
        first.join()


def test_a_request_that_takes_too_long_is_answered_and_dropped(hung: tuple[Running, GatedEngine]) -> None:
    server, engine = hung
    for path in ("/predict", "/v1/analyses"):
        begun = time.monotonic()
        answer = server.post(path, files=as_file(PHOTO))
        assert 0.9 < time.monotonic() - begun < 20
        assert answer.status_code == 503
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        told = answer.json()
        assert "within 1 second" in (told["error"] if path == "/predict" else told["detail"])
    assert told["type"] == "/v1/problems/deadline-exceeded"
    assert server.metric("lesionlens_rejected_total", reason="deadline-exceeded") >= 2
    assert server.metric("lesionlens_queue_depth") == 0
    engine.gate.set()
    assert server.post("/predict", files=as_file(PHOTO)).status_code == 200
    assert engine.batches == [1, 1]  # neither photo that was dropped was computed


def test_a_client_may_wait_less_but_not_longer(hung: tuple[Running, GatedEngine]) -> None:
    server, _ = hung
    for prefer, least, most in (("wait=0", 0.0, 0.9), ("wait=3600", 0.9, 20.0)):
        begun = time.monotonic()
        answer = server.post("/predict", files=as_file(PHOTO), headers={"Prefer": prefer})
        assert answer.status_code == 503
        assert least <= time.monotonic() - begun < most, prefer


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], 60),
        (["wait=5"], 5),
        (["respond-async, wait=10"], 10),
        (['return=minimal; foo="bar", WAIT = "7"; x=y'], 7),
        (["handling=lenient", "wait=3, wait=1"], 3),
        (["wait=600"], 60),
        (["wait=soon", "wait=-1", "wait=1.5", "wait", "wait=" + "9" * 5000, "waiting=1"], 60),
        (["wait=²"], 60),
    ],
)
def test_the_preference_wait_is_read_as_rfc_7240_has_it(headers: list[str], seconds: float) -> None:
    raw = [(b"prefer", header.encode("latin-1")) for header in headers]
    request = Request({"type": "http", "headers": raw})
    assert time_allowed(request, load_settings(request_timeout=60)) == seconds


def test_an_engine_that_hangs_makes_the_service_ask_for_a_restart(hung: tuple[Running, GatedEngine]) -> None:
    server, engine = hung
    wait_until(lambda: server.get("/livez").status_code == 503)
    assert server.get("/livez").json() == {"status": "stuck"}
    ready = server.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"status": "stuck"})
    assert server.get("/health").status_code == 200  # the contract's sign of life is of the process
    engine.gate.set()
    wait_until(lambda: server.get("/livez").status_code == 200)
    assert server.get("/readyz").status_code == 200


def test_without_a_limit_no_pass_takes_too_long(classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    engine.gate.clear()
    with running(model, stuck_seconds=0) as server:
        wait_until(lambda: engine.batches == [1])
        time.sleep(0.3)
        assert server.get("/livez").status_code == 200
        engine.gate.set()


def test_photos_of_those_who_gave_up_do_not_gather_behind_a_hung_engine(hung: tuple[Running, GatedEngine]) -> None:
    server, _ = hung
    for _ in range(5):
        answer = httpx.post(f"{server.url}/predict", files=as_file(PHOTO), headers={"Prefer": "wait=0"}, timeout=60)
        assert answer.status_code == 503
    assert len(server.state.running[1].worker._queue) <= 1


def test_a_compute_thread_that_died_is_noticed(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoMore(BaseException):
        """What a thread does not survive."""

    def die(_: object) -> None:
        raise NoMore

    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    worker = BatchWorker(classifier, Metrics(), max_batch=1)
    monkeypatch.setattr(worker, "_compute", die)
    assert not worker.is_stuck(0)
    worker.start()
    side = classifier.manifest.preprocessing.size
    worker.submit(np.zeros((3, side, side), dtype=np.float32), (side, side))
    wait_until(lambda: worker.is_stuck(0))
    assert len(told) == 1


def test_an_orderly_end_that_takes_too_long_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lesionlens.api.force_end._MARGIN", -0.8)
    ended: list[int] = []
    with force_end(load_settings(shutdown_timeout=1), exit_now=ended.append) as begin:
        time.sleep(0.4)
        assert ended == []  # the clock does not run before the end has begun
        begin()
        wait_until(lambda: ended == [FORCED])
    with force_end(load_settings(shutdown_timeout=1), exit_now=ended.append) as begin:
        begin()
    time.sleep(0.5)
    assert ended == [FORCED]  # an end in time is not forced


def test_a_process_whose_engine_hangs_ends_all_the_same(tmp_path: Path) -> None:
    environment = customised(
        tmp_path,
        """
import time
import lesionlens.api.force_end
lesionlens.api.force_end._MARGIN = 1.0
from lesionlens.api.batching import BatchWorker
BatchWorker._compute = lambda self, batch: time.sleep(600)
""",
        "serve",
    )
    program = Program(LESIONLENS_SHUTDOWN_TIMEOUT="1", **environment)
    program.url()
    wait_until(lambda: any("startup complete" in line for line in program.lines))
    assert program.end() == FORCED
    assert "ended by force" in "".join(program.lines)
