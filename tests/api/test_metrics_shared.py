"""Any of several workers tells what all of them did, also those that are no more."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from lesionlens.api.metrics_shared import SharedMetrics, shared_folder, shared_registry
from serving import Program, wait_until

# A worker as the supervisor starts it: a fresh interpreter with the variable set. It does what each line says.
_WORKER = """
import os, sys
from lesionlens.api.metrics import Metrics
metrics, waiting = Metrics(), [0]
metrics.watch(lambda: waiting[0], lambda: 0)
metrics.watch_ready(lambda: True)
print(os.getpid(), flush=True)
for line in sys.stdin:
    word, _, number = line.strip().partition(" ")
    if word == "request":
        for _ in range(int(number)):
            metrics.requested("GET", "/health", 200, 0.02)
            metrics.staged(decode=0.004)
    elif word == "reject":
        metrics.rejected("overloaded")
    elif word == "wait":
        waiting[0] = int(number)
        metrics.refresh()
    elif word == "expose":
        print(metrics.expose().decode() + "# EOF", flush=True)
    print("done", flush=True)
"""


class Worker:
    """A process that counts."""

    def __init__(self, shared: SharedMetrics) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **shared.environment},
        )
        self.pid = int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the worker has ended"
        return line.rstrip("\n")

    def tell(self, command: str) -> list[str]:
        """Have it do something; what it prints."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return list(iter(self._line, "done"))

    def value(self, sample: str) -> float | None:
        """A sample of what this worker exposes; None where it is not told."""
        values = [line.rpartition(" ")[2] for line in self.tell("expose") if line.rpartition(" ")[0] == sample]
        assert len(values) <= 1, sample
        return float(values[0]) if values else None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@contextmanager
def two_workers() -> Iterator[tuple[SharedMetrics, list[Worker]]]:
    shared = SharedMetrics.create()
    workers = [Worker(shared), Worker(shared)]
    try:
        yield shared, workers
    finally:
        for worker in workers:
            if worker.process.returncode is None:
                worker.kill()
        shared.close()
    assert not shared.folder.exists()


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[SharedMetrics, list[Worker]]]:
    with two_workers() as pair:
        yield pair


@pytest.fixture
def workers(pair: tuple[SharedMetrics, list[Worker]]) -> list[Worker]:
    """Two of them, for all tests that let them live."""
    return pair[1]


def test_either_worker_tells_the_sum(workers: list[Worker]) -> None:
    one, two = workers
    one.tell("request 3")
    two.tell("request 4")
    two.tell("reject")
    for worker in workers:
        assert worker.value('lesionlens_requests_total{method="GET",route="/health",status="200"}') == 7
        assert worker.value('lesionlens_stage_seconds_bucket{le="0.005",stage="decode"}') == 7
        assert worker.value('lesionlens_stage_seconds_count{stage="decode"}') == 7
        assert worker.value('lesionlens_rejected_total{reason="overloaded"}') == 1
        assert worker.value("lesionlens_workers") == 2


def test_gauges_of_the_other_worker_are_as_it_left_them(workers: list[Worker]) -> None:
    one, two = workers
    one.tell("wait 5")
    two.tell("wait 2")
    assert one.value("lesionlens_queue_depth") == two.value("lesionlens_queue_depth") == 7
    one.tell("wait 0")
    assert two.value("lesionlens_queue_depth") == 2
    assert two.value("lesionlens_ready") == 2


def test_the_program_is_told_once(workers: list[Worker]) -> None:
    lines = workers[0].tell("expose")
    [build] = [line for line in lines if line.startswith("lesionlens_build_info{")]
    assert build.endswith(" 1.0")
    assert "pid=" not in "\n".join(lines)


def test_memory_and_processor_time_are_those_of_all(workers: list[Worker]) -> None:
    one, _ = workers
    both = one.value("process_resident_memory_bytes")
    alone = [_resident(worker.pid) for worker in workers]
    assert both is not None
    assert both > 1.5 * min(alone)
    assert both == pytest.approx(sum(alone), rel=0.2)
    assert (one.value("process_cpu_seconds_total") or 0) > 0
    starts = one.value("process_start_time_seconds")
    assert starts is not None
    assert starts < 4e9, "a time is not summed"


def test_whoever_has_the_folder_can_read_it(pair: tuple[SharedMetrics, list[Worker]]) -> None:
    """The supervisor, say, who serves nothing itself."""
    shared, workers = pair
    value = shared_registry(shared.folder).get_sample_value
    assert value("lesionlens_workers") == 2
    assert value("process_resident_memory_bytes") == pytest.approx(
        sum(_resident(worker.pid) for worker in workers), rel=0.2
    )
    assert value("lesionlens_worker_restarts_total", {"reason": "died"}) == 0


def test_a_process_shares_only_if_the_variable_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    assert shared_folder() is None
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert shared_folder() == tmp_path


def _resident(pid: int) -> int:
    [size] = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    return 1024 * int(size)


def test_a_killed_worker_keeps_its_counts_and_loses_its_gauges() -> None:
    requests = 'lesionlens_requests_total{method="GET",route="/health",status="200"}'
    with two_workers() as (shared, workers):
        one, two = workers
        one.tell("request 3")
        one.tell("wait 5")
        one.kill()
        shared.worker_ended(one.pid)
        shared.count_restart("died")
        assert two.value(requests) == 3
        assert two.value("lesionlens_queue_depth") == 0
        assert two.value("lesionlens_workers") == 1
        assert two.value('lesionlens_worker_restarts_total{reason="died"}') == 1
        assert two.value('lesionlens_worker_restarts_total{reason="stuck"}') == 0
        workers.append(Worker(shared))  # the one that takes its place
        workers[-1].tell("request 1")
        assert two.value(requests) == 4
        assert two.value("lesionlens_workers") == 2


def test_the_service_with_workers_tells_of_all_of_them() -> None:
    program = Program("--workers", "2", "--threads", "1", LESIONLENS_LOG_FORMAT="json")
    try:
        url = program.url()
        wait_until(lambda: "\nlesionlens_ready 2.0" in httpx.get(f"{url}/metrics", timeout=60).text)
        for _ in range(6):  # each on a connection of its own, which either worker takes
            httpx.get(f"{url}/v1/classes", timeout=60).raise_for_status()
        asked = 'lesionlens_requests_total{method="GET",route="/v1/classes",status="200"} 6.0'
        wait_until(lambda: all(asked in httpx.get(f"{url}/metrics", timeout=60).text for _ in range(4)))
    finally:
        program.end()
    assert not [line for line in program.lines if json.loads(line).get("level") in {"warning", "error"}]


def test_another_supervisor_counts_no_restarts(tmp_path: Path) -> None:
    value = shared_registry(tmp_path).get_sample_value
    assert value("lesionlens_worker_restarts_total", {"reason": "died"}) == 0


def test_all_that_one_process_tells_is_told_by_several(workers: list[Worker]) -> None:
    """Alerts and dashboards work alike."""
    program = "from lesionlens.api.metrics import Metrics; print(Metrics().expose().decode())"
    environment = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    alone = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    workers[0].tell("request 1")
    several = "\n".join(workers[0].tell("expose"))
    known_with_a_model = {f"lesionlens_{name}" for name in ("input_drift_ratio", "model_info", "engine_info")}
    assert _families(alone.stdout) - _families(several) == known_with_a_model
    assert _families(several) <= _families(alone.stdout)


def _families(text: str) -> set[str]:
    """Names of what is told; when each counter was made (`_created`) is told by a single process only."""
    return {name for name in re.findall(r"^# TYPE (\w+)", text, re.MULTILINE) if not name.endswith("_created")}


def test_a_folder_that_is_gone_does_not_end_the_supervisor(caplog: pytest.LogCaptureFixture) -> None:
    shared = SharedMetrics.create()
    shared.close()
    shared.worker_ended(1)
    shared.count_restart("died")
    shared.close()
    assert "not counted" in caplog.text


def test_the_folder_is_private() -> None:
    shared = SharedMetrics.create()
    assert shared.folder.stat().st_mode & 0o077 == 0
    shared.close()
