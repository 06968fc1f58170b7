"""The supervisor in this process, with real workers: its decisions one by one."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fault_tools import customised, figure, predict
from typer.testing import CliRunner

from lesionlens import DISCLAIMER
from lesionlens.api.app import create_app
from lesionlens.api.listener import listen
from lesionlens.api.logs import configure_logging
from lesionlens.api.workers.heart import READY, Heart
from lesionlens.api.workers.main import CANNOT_START, Orders, main
from lesionlens.api.workers.patience import Patience
from lesionlens.api.workers.supervisor import Supervisor
from lesionlens.cli import app
from lesionlens.settings import load_settings
from serving import TIMEOUT, wait_until


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """What this process logs, as JSON lines."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logging(load_settings(log_format="json"), stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def told(log: io.StringIO, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == event]


def supervise(
    script: Callable[[str], None], count: int = 1, settings: dict[str, Any] | None = None, **patience: float
) -> int:
    """Supervise in this thread while a script runs in another, and stop it at the script's end."""
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    failures: list[BaseException] = []

    def play() -> None:
        try:
            script(url)
        except BaseException as error:  # told below, in the test's own thread
            failures.append(error)
        os.kill(os.getpid(), signal.SIGTERM)

    settings = {"tracker": "off", "threads": 1} | (settings or {})
    supervisor = Supervisor(listener, count, settings, Patience(**{"silence": 0, "end": TIMEOUT} | patience))
    # Between the end of the supervisor and that of the script this process must survive the signal.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    thread = threading.Thread(target=play)
    thread.start()
    try:
        status = supervisor.run()
    finally:
        thread.join()
        signal.signal(signal.SIGTERM, before)
        listener.close()
    if failures:
        raise failures[0]
    return status


def test_a_renewal_that_fails_leaves_the_old_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    broken = tmp_path / "broken"
    code = f"if os.path.exists({str(broken)!r}): sys.exit('an update that does not work')"
    for name, value in customised(tmp_path, code).items():
        monkeypatch.setenv(name, value)

    def script(url: str) -> None:
        wait_until(lambda: told(log, "worker ready"), 2 * TIMEOUT)
        broken.touch()
        os.kill(os.getpid(), signal.SIGHUP)
        wait_until(lambda: told(log, "a new worker does not become ready; the old ones stay"))
        assert predict(url).status_code == 200
        assert figure(url, "lesionlens_workers") == 1
        broken.unlink()
        os.kill(os.getpid(), signal.SIGHUP)
        wait_until(lambda: told(log, "all workers have been renewed"), 2 * TIMEOUT)
        victim = told(log, "worker ready")[-1]["pid"]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(told(log, "worker ready")) == 3, 2 * TIMEOUT)
        assert figure(url, "lesionlens_worker_restarts_total", reason="died") == 1

    assert supervise(script) == -signal.SIGTERM
    assert len(told(log, "worker died")) == 1


def test_giving_up_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> None:
    for name, value in customised(tmp_path, "os._exit(9)").items():
        monkeypatch.setenv(name, value)
    status = supervise(lambda _: wait_until(lambda: told(log, "the service ends")), failures=3, pause=0.01)
    assert status == 1
    [end] = told(log, "the service ends")
    assert "3 times in a row" in end["why"]
    assert "exit status 9" in end["why"]


def test_what_hangs_at_its_start_or_at_its_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    deaf = tmp_path / "deaf"
    code = f"""
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open({str(deaf)!r}, "a") as file:
    file.write("x")
time.sleep(600)
"""
    for name, value in customised(tmp_path, code).items():
        monkeypatch.setenv(name, value)

    def script(_: str) -> None:
        wait_until(lambda: told(log, "worker is replaced"))
        wait_until(lambda: len(deaf.read_text()) == 2)

    assert supervise(script, start=5.0, end=1.0) == -signal.SIGTERM
    assert "not ready after 5 seconds" in told(log, "worker is replaced")[0]["why"]
    assert told(log, "worker did not end in time and is killed")


def test_a_process_that_cannot_be_had_is_tried_again(monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    status = supervise(lambda _: wait_until(lambda: len(told(log, "a worker cannot be started")) == 2))
    assert status == -signal.SIGTERM


def test_the_command_serves_with_several_workers_until_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_TRACKER", "off")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"

    def interrupt() -> None:
        wait_until(lambda: _workers(url) == 2, 2 * TIMEOUT)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    result = CliRunner().invoke(app, ["serve", "--port", str(port), "--workers", "2"])
    thread.join()
    assert result.exit_code == 0, result.output
    assert url in result.output
    assert "Workers       2" in result.output
    assert DISCLAIMER in result.output


def _workers(url: str) -> float:
    try:
        return figure(url, "lesionlens_workers")
    except httpx.TransportError:  # nobody listens yet
        return 0


def test_a_worker_serves_as_it_is_told_and_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    heard, told_to = os.pipe()
    orders = Orders(3, listener.detach(), told_to, {"tracker": "off", "threads": 1, "secret_key": "k" * 32})
    assert Orders.from_json(orders.to_json()) == orders

    class Stdin:
        buffer = io.BytesIO(orders.to_json())

    monkeypatch.setattr(sys, "stdin", Stdin)

    def hear() -> None:
        wait_until(lambda: READY in os.read(heard, 100), 2 * TIMEOUT)
        assert predict(f"http://127.0.0.1:{port}").status_code == 200
        os.close(heard)  # as when the supervisor has been killed: the worker ends by itself

    thread = threading.Thread(target=hear)
    thread.start()
    assert main() == 0
    thread.join()
    os.close(told_to)


def test_a_worker_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    orders = Orders(1, -1, -1, {"tracker": "off", "model": str(tmp_path / "none")})

    class Stdin:
        buffer = io.BytesIO(orders.to_json())

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert main() == CANNOT_START


def test_a_slow_supervisor_does_not_hold_up_a_worker() -> None:
    read, write = os.pipe()
    heart = Heart(create_app(load_settings(tracker="off")).state.lesionlens, write, pytest.fail)
    try:
        while True:
            os.write(write, b"u" * 4096)
    except BlockingIOError:
        asyncio.run(heart.beat())
    finally:
        os.close(read)
        os.close(write)
