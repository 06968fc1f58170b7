"""More connections than anybody needs: 10,000 idle ones, more than are allowed, more than there are descriptors."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fault_tools import predict, raw, read_all

from lesionlens import Classifier
from lesionlens.api.descriptors import most_connections, raise_file_limit
from serving import Program, running, wait_until

IDLE = 10_000


@contextlib.contextmanager
def many_files(count: int) -> Iterator[None]:
    """Let this process open so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"a process may open {hard} files at most here (ulimit -Hn); the test needs {count}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_idle(url: str, count: int) -> list[socket.socket]:
    connections = []
    for number in range(count):
        connections.append(raw(url))
        if number % 1000 == 0:  # not faster than the kernel's queue is emptied
            assert httpx.get(f"{url}/health", timeout=60).status_code == 200
    return connections


def test_ten_thousand_idle_connections_and_a_client_that_wants_something() -> None:
    with many_files(IDLE + 500):
        # The service is started with the usual soft limit, and raises it itself.
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        program = Program(LESIONLENS_HEAD_TIMEOUT="600", LESIONLENS_MAX_CONNECTIONS=str(IDLE + 200))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        idle: list[socket.socket] = []
        try:
            url = program.url()
            wait_until(lambda: httpx.get(f"{url}/readyz", timeout=60).status_code == 200)
            predict(url)
            alone = min(_seconds(url) for _ in range(3))
            before = resident_bytes(program.process.pid)
            idle += open_idle(url, IDLE)
            among = min(_seconds(url) for _ in range(3))
            grown = resident_bytes(program.process.pid) - before
            assert among < max(2 * alone, alone + 0.5), (alone, among)
            assert grown < IDLE * 50_000, grown  # bytes; they are all held
            idle[0].sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")  # none was closed to make room
            assert b"200 OK" in idle[0].recv(4096)
        finally:
            for connection in idle:
                connection.close()
            program.end()


def _seconds(url: str) -> float:
    begun = time.perf_counter()
    assert predict(url).status_code == 200
    return time.perf_counter() - begun


def test_beyond_the_limit_those_that_wait_longest_are_closed(classifier: Classifier) -> None:
    limit = 20
    with running(classifier, max_connections=limit, head_timeout=600) as server:
        uploading = raw(server.url, b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n")
        uploading.sendall(b"Content-Type: multipart/form-data; boundary=b\r\n\r\n")
        wait_until(lambda: server.state.running[1].uploads.inside == 1)
        idle = [raw(server.url) for _ in range(3 * limit)]
        wait_until(lambda: server.metric("lesionlens_rejected_total", reason="too-many-connections") >= 2 * limit)
        assert len(server.server.server_state.connections) <= limit
        assert read_all(idle[0]) == b""
        idle[-1].sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert read_all(idle[-1]).startswith(b"HTTP/1.1 200 ")
        # Whoever is being served is not closed for it, however long that takes.
        assert server.get("/health").status_code == 200
        uploading.sendall(b"--b--\r\n\r\n")
        assert uploading.recv(4096).startswith(b"HTTP/1.1 400 ")
        for connection in (uploading, *idle):
            connection.close()


def test_without_file_descriptors_the_service_survives_and_says_so() -> None:
    program = Program(LESIONLENS_LOG_FORMAT="json", LESIONLENS_HEAD_TIMEOUT="600")
    held: list[socket.socket] = []
    try:
        url = program.url()
        wait_until(lambda: httpx.get(f"{url}/readyz", timeout=60).status_code == 200)
        # As if other parts of the process had taken them: the limit is only a few above what is open.
        pid = program.process.pid
        few = len(list(Path(f"/proc/{pid}/fd").iterdir())) + 6
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, limits[1]))
        held += [raw(url) for _ in range(20)]
        wait_until(lambda: any("no connection can be accepted" in line for line in program.lines))
        told = [line for line in program.lines if "no connection can be accepted" in line]
        assert "ulimit -n" in told[0]
        assert httpx.get(f"{url}/health", timeout=60).status_code == 200  # idle ones made room for it
        time.sleep(2.5)
        assert len([line for line in program.lines if "no connection can be accepted" in line]) == 1
        for connection in held:
            connection.close()
        assert predict(url).status_code == 200
        assert len(program.lines) < 60  # no flood
    finally:
        program.end()
    assert "Traceback" not in "".join(program.lines)


def test_the_number_of_connections_follows_the_files_that_may_be_open() -> None:
    assert most_connections(10_000, 1_000_000) == 10_000
    assert most_connections(10_000, 1024) == 896
    assert most_connections(10_000, 64) == 16
    assert most_connections(3, 64) == 3


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        assert raise_file_limit() >= soft
        raised = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert raised == hard or hard == resource.RLIM_INFINITY
        assert raise_file_limit() == raised
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
