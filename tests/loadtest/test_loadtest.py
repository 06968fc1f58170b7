"""`lesionlens loadtest` against services that hold, that refuse, and that must be caught."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from lesionlens import Classifier
from lesionlens.cli import app
from lesionlens.errors import DataError
from lesionlens.loadtest.drive import LoadTestError, Plan, run_load
from lesionlens.loadtest.patterns import PATTERNS, clients_at
from lesionlens.loadtest.photos import drawn_photo, read_photos
from lesionlens.loadtest.samples import Sample
from lesionlens.loadtest.summary import summarise
from serving import Running, as_file, running

Answer = tuple[int, dict[str, str], bytes]


def test_a_service_that_holds(server: Running, tmp_path: Path) -> None:
    page, figures = tmp_path / "load.html", tmp_path / "load.json"
    before = _answered(server)
    result = _loadtest(server.url, "--clients", "4", "--requests", "40", "-o", str(page), "--json", str(figures))
    assert result.exit_code == 0, result.output
    told = json.loads(figures.read_text())
    assert told["answered"] == told["requests"] == 40
    assert told["failed"] == 0
    assert told["errors"] == {}
    # The service counts the same, and the one that was sent alone.
    assert _answered(server) - before == told["answered"] + 1
    assert told["per_second"] == pytest.approx(told["answered"] / told["seconds"])
    assert 0 < told["latency"]["p50"] <= told["latency"]["p99"] <= told["latency"]["largest"] <= told["seconds"]
    in_intervals = sum(i["answered"] for i in told["intervals"]) * told["seconds"] / len(told["intervals"])
    assert in_intervals == pytest.approx(told["answered"])
    assert f"{told['answered']:,}" in result.output
    html = page.read_text()
    assert html.count("<svg") == 2
    assert "Latency over time" in html
    assert "Throughput over time" in html
    assert not re.search(r'(src|href)="(?!#)', html)


def test_a_full_service_is_no_failure_if_it_says_when_to_come_again(classifier: Classifier) -> None:
    with running(classifier, queue_size=1, max_uploads=1) as server:
        samples = asyncio.run(run_load(Plan(server.url, [drawn_photo()], clients=8, requests=100, patient=False)))
    summary = summarise(samples)
    assert summary.turned_away > 0
    assert summary.answered > 0
    assert summary.failed == 0, summary.errors
    assert set(summary.statuses) == {"200", "503"}
    assert summary.refusal is not None


def test_a_number_of_requests_takes_the_time_that_it_takes(
    server: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("lesionlens.cli.loadtest._SECONDS", 0.5)  # of a test without --seconds and --requests
    page, figures = tmp_path / "load.html", tmp_path / "load.json"
    files = ("-o", str(page), "--json", str(figures))
    assert _loadtest(server.url, "--clients", "2", "--requests", "80", *files).exit_code == 0
    assert json.loads(figures.read_text())["requests"] == 80
    assert "inf" not in re.findall(r"<p>(.*?)</p>", page.read_text())[0]
    assert json.loads(figures.read_text())["seconds"] > 0.5
    assert _loadtest(server.url, "--clients", "2", "--requests", "1000", "--pattern", "burst", *files).exit_code == 0
    assert json.loads(figures.read_text())["requests"] < 1000


def test_tolerances_can_be_narrowed(classifier: Classifier) -> None:
    status, headers, body = _right_answer(classifier)
    rounded = json.loads(body)
    rounded["probabilities"] = [p + 1.5e-3 for p in rounded["probabilities"]]
    with _fake(lambda number: (status, headers, json.dumps(rounded).encode() if number else body)) as url:
        plan = Plan(url, [drawn_photo()], clients=1, requests=2, most_probability_difference=1e-3)
        summary = summarise(asyncio.run(run_load(plan)))
    assert list(summary.errors) == ["a probability differs by 0.0015"]


def test_patient_clients_wait_as_they_are_told(classifier: Classifier) -> None:
    refusal = (503, {"Retry-After": "1"}, b"busy")
    right = _right_answer(classifier)
    with _fake(lambda number: right if number == 0 else refusal) as url:
        first, second = asyncio.run(run_load(Plan(url, [drawn_photo()], clients=1, requests=2)))
    assert second.begun - (first.begun + first.seconds) >= 0.99


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda right, other: other, "a probability differs by"),
        (lambda right, other: right | {"gradcam": other["gradcam"]}, "the heatmap differs by"),
        (lambda right, other: {k: v for k, v in right.items() if k != "gradcam"}, "cannot be read"),
    ],
    ids=["another photo's answer", "another photo's heatmap", "no heatmap"],
)
def test_a_wrong_answer_under_load_is_caught(
    classifier: Classifier, wrong: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]], told: str
) -> None:
    status, headers, body = _right_answer(classifier)
    right, other = json.loads(body), json.loads(_right_answer(classifier, seed=5)[2])
    mixed_up = (status, headers, json.dumps(wrong(right, other)).encode())
    with _fake(lambda number: mixed_up if number % 3 == 2 else (status, headers, body)) as url:
        result = _loadtest(url, "--clients", "2", "--requests", "8")
    assert result.exit_code == 1
    assert told in result.output


def test_rounding_is_not_an_error(classifier: Classifier) -> None:
    status, headers, body = _right_answer(classifier)
    rounded = json.loads(body)
    rounded["probabilities"] = [p + 1e-4 for p in rounded["probabilities"]]
    with _fake(lambda number: (status, headers, json.dumps(rounded).encode() if number else body)) as url:
        summary = summarise(asyncio.run(run_load(Plan(url, [drawn_photo()], clients=2, requests=8))))
    assert summary.answered == summary.requests


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((503, {}, b"busy"), "status 503 without Retry-After"),
        ((500, {"Retry-After": "1"}, b"broken"), "status 500"),
        (None, "RemoteProtocolError"),
    ],
    ids=["no Retry-After", "500", "hung up"],
)
def test_a_failure_is_counted_with_its_name(classifier: Classifier, answer: Answer | None, told: str) -> None:
    right = _right_answer(classifier)
    with _fake(lambda number: right if number == 0 else answer) as url:
        result = _loadtest(url, "--clients", "2", "--requests", "8")
    assert result.exit_code == 1
    assert told in result.output


def test_a_service_that_is_not_there() -> None:
    with pytest.raises(LoadTestError, match=r"http://127\.0\.0\.1:9 does not answer"):
        asyncio.run(run_load(Plan("http://127.0.0.1:9", [drawn_photo()])))
    result = _loadtest("localhost:5000")
    assert result.exit_code == 1
    assert "http://localhost:5000" in result.stderr


def test_a_service_that_refuses_a_single_photo(server: Running) -> None:
    with pytest.raises(LoadTestError, match="answered a single photo with 400"):
        asyncio.run(run_load(Plan(server.url, [b"no picture"])))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_clients_come_and_go_by_the_pattern(pattern: str) -> None:
    numbers = [clients_at(pattern, t / 10, 40, 20) for t in range(400)]
    assert max(numbers) == 20
    assert min(numbers) >= 1
    assert clients_at(pattern, 40, 40, 20) == clients_at(pattern, -1, 40, 20) == 0
    changes = sum(a != b for a, b in pairwise(numbers))
    assert changes == {"steady": 0, "ramp": 19, "burst": 7}[pattern]
    assert numbers[0] == {"steady": 20, "ramp": 1, "burst": 2}[pattern]


def test_photos_are_read_and_looked_at(tmp_path: Path) -> None:
    assert read_photos([]) == [drawn_photo()]
    (tmp_path / "b.jpg").write_bytes(drawn_photo(seed=1))
    (tmp_path / "a.JPG").write_bytes(drawn_photo(seed=2))
    (tmp_path / "notes.txt").write_text("no picture")
    assert read_photos([tmp_path]) == [drawn_photo(seed=2), drawn_photo(seed=1)]
    with pytest.raises(DataError, match=r"notes\.txt"):
        read_photos([tmp_path / "notes.txt"])
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="there is no picture"):
        read_photos([empty])


def test_a_summary_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="no samples"):
        summarise([])
    only_failures = summarise([Sample(0.0, 0.5, None, "ConnectError")])
    assert only_failures.latency is None
    assert only_failures.failed == 1


def _loadtest(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["loadtest", *arguments], env={"COLUMNS": "200"})


def _answered(server: Running) -> int:
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    begins = 'lesionlens_requests_total{method="POST",route="/predict",status="200"}'
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(begins))


def _right_answer(classifier: Classifier, seed: int = 0) -> Answer:
    with running(classifier) as server:
        answer = httpx.post(f"{server.url}/predict", files=as_file(drawn_photo(seed=seed)))
    return 200, {"Content-Type": "application/json"}, answer.content


@contextmanager
def _fake(answer: Callable[[int], Answer | None]) -> Iterator[str]:
    """An HTTP server that gives the answers it is told to, by their number; None hangs up."""
    numbers = count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            told = answer(next(numbers))
            if told is None:
                self.close_connection = True
                return
            status, headers, body = told
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
