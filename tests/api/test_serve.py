"""`lesionlens serve`, as a process and in this one."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import structlog
from typer.testing import CliRunner

from lesionlens import DISCLAIMER, Classifier
from lesionlens.api.server import listen
from lesionlens.cli import app
from lesionlens.errors import SettingsError
from serving import Program, as_file, draw_lesion, encode, wait_until

PHOTO = encode(draw_lesion(1200, 900), "JPEG")


@pytest.fixture(autouse=True)
def _keep_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_every_accepted_request_is_answered_after_sigterm() -> None:
    count = 24
    program = Program(LESIONLENS_QUEUE_SIZE="64", LESIONLENS_MAX_UPLOADS="64", LESIONLENS_MAX_BATCH="1")
    url = program.url()
    wait_until(lambda: httpx.get(f"{url}/readyz").status_code == 200)

    def ask(_: int) -> httpx.Response:
        return httpx.post(f"{url}/predict", files=as_file(PHOTO), timeout=60)

    def figure(name: str) -> float:
        lines = httpx.get(f"{url}/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(ask, number) for number in range(count)]
        answered = 'lesionlens_requests_total{method="POST",route="/predict",status="200"}'
        wait_until(lambda: figure("lesionlens_in_progress") + figure(answered) >= count)
        status = program.end(signal.SIGTERM)
        answers = [future.result() for future in asked]
    assert [answer.status_code for answer in answers] == [200] * count
    assert all("gradcam" in answer.json() for answer in answers)
    assert status == -signal.SIGTERM
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health")
    assert "Traceback" not in "".join(program.lines)


def test_json_log_names_model_address_and_disclaimer() -> None:
    program = Program(LESIONLENS_LOG_FORMAT="json")
    url = program.url()
    program.end(signal.SIGTERM)
    lines = [json.loads(line) for line in program.lines]
    [serving] = [line for line in lines if line["event"] == "serving"]
    assert serving["url"] == url
    assert serving["model"]["name"] == Classifier().manifest.name
    assert serving["disclaimer"] == DISCLAIMER


def test_banner_and_ctrl_c() -> None:
    def interrupt() -> None:
        # Only once it serves: before that, Ctrl-C is an ordinary KeyboardInterrupt.
        wait_until(lambda: answers(port))
        os.kill(os.getpid(), signal.SIGINT)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    thread = threading.Thread(target=interrupt)
    thread.start()
    result = CliRunner().invoke(app, ["serve", "--port", str(port), "--threads", "1"])
    thread.join()
    assert result.exit_code == 0, result.output
    assert f"http://127.0.0.1:{port}" in result.output
    assert DISCLAIMER in result.output
    assert Classifier().manifest.version in result.output


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200
    except httpx.TransportError:
        return False


def test_a_taken_port_is_told() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["serve", "--port", str(port)])
    assert result.exit_code == 1
    assert f"port {port} on 127.0.0.1 is in use" in result.output
    assert "--port" in result.output
    assert "Traceback" not in result.output


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(SettingsError, match=r"cannot listen on 192\.0\.2\.1 port 0"):
        listen("192.0.2.1", 0)


def test_ipv6() -> None:
    try:
        listener = listen("::1", 0)
    except SettingsError:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert listener.family == socket.AF_INET6


def test_options_take_precedence_and_wrong_values_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONLENS_ENGINE", "onnxruntime")
    result = CliRunner().invoke(app, ["serve", "--engine", "abacus"])
    assert result.exit_code == 1
    assert "LESIONLENS_ENGINE is 'abacus'" in result.output
    monkeypatch.setenv("PORT", "eighty")
    result = CliRunner().invoke(app, ["serve"])
    assert result.exit_code == 1
    assert "PORT is 'eighty'; accepted: a whole number, 0–65535" in result.output


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["serve", "--port", "0", "--model", str(tmp_path / "model.pth")])
    assert result.exit_code == 1
    assert "model.pth" in result.output
    assert "Traceback" not in result.output
