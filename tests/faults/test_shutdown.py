"""SIGTERM while requests come without a pause: whoever got a connection gets an answer."""

from __future__ import annotations

import signal
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from fault_tools import PHOTO, predict_bytes, raw, read_all, workers

from lesionlens import Classifier
from lesionlens.api.listener import listen, take_no_more
from serving import as_file, running, wait_until

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def visit(url: str, request: bytes, pause: float) -> str:
    """Connect, wait a moment, ask; say what came of it."""
    try:
        connection = raw(url)
    except ConnectionRefusedError:
        return "refused"
    with connection:
        try:
            time.sleep(pause)
            connection.sendall(request)
            answer = read_all(connection)
        except (BrokenPipeError, ConnectionResetError) as error:
            return f"lost: {error!r}"
    return answer[9:12].decode() if answer else "lost"


@pytest.mark.parametrize("count", [1, 2])
def test_no_connection_is_lost_at_the_moment_of_sigterm(count: int) -> None:
    clients = 10
    outcomes: Counter[str] = Counter()

    def keep_asking(number: int) -> None:
        request = predict_bytes() if number < 2 else HEALTH
        while not outcomes["refused"]:
            outcomes[visit(service.url, request, 0.01 * (number % 3))] += 1

    with (
        workers(count, LESIONLENS_QUEUE_SIZE="64", LESIONLENS_TRACKER="off") as service,
        ThreadPoolExecutor(clients) as pool,
    ):
        asking = [pool.submit(keep_asking, number) for number in range(clients)]
        wait_until(lambda: outcomes["200"] > 3 * clients)
        before = outcomes["200"]
        status = service.program.end(signal.SIGTERM)
        for each in asking:
            each.result()
        assert set(outcomes) == {"200", "refused"}, outcomes
        assert outcomes["200"] > before
        assert status == -signal.SIGTERM
        assert "Traceback" not in service.text()


def test_a_request_that_is_on_its_way_is_answered_and_the_connection_closed(classifier: Classifier) -> None:
    with running(classifier) as server:
        wait_until(lambda: server.state.warm)
        with raw(server.url) as connection, raw(server.url) as silent:
            wait_until(lambda: len(server.server.server_state.waiting) == 2)
            server.server.end()
            wait_until(lambda: server.state.draining)
            time.sleep(0.2)
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = read_all(connection)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" in answer.lower()
            assert read_all(silent) == b""
        server.thread.join(30)
        assert not server.thread.is_alive()


def test_an_idle_connection_does_not_hold_up_the_end(classifier: Classifier) -> None:
    with running(classifier, shutdown_timeout=60, head_timeout=60, keep_alive=60) as server:
        assert server.post("/predict", files=as_file(PHOTO)).status_code == 200
        with raw(server.url), raw(server.url, b"POST /pre"):
            wait_until(lambda: len(server.server.server_state.waiting) == 3)
            begun = time.monotonic()
            server.server.end()
            server.thread.join(30)
            assert time.monotonic() - begun < 15


def test_a_socket_that_takes_no_more_keeps_who_came_before() -> None:
    with listen("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address, timeout=10) as early:
            take_no_more(listener)
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.3)
            early.sendall(b"hello")
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.recv(5) == b"hello"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=10)
