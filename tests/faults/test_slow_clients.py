"""Clients that send slowly, send nothing, send nonsense, or do not read: bounded, and unnoticed by all others."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest
from fault_tools import HEAD, PART, PHOTO, predict_bytes, raw, read_all

from lesionlens import Classifier
from serving import Running, as_file, running, wait_until

REJECTED = "lesionlens_rejected_total"


def rejected(server: Running, reason: str = "slow-request") -> float:
    return server.metric(REJECTED, reason=reason)


def test_a_head_that_comes_byte_by_byte_is_cut_off(classifier: Classifier) -> None:
    with running(classifier, head_timeout=1.0) as server, raw(server.url) as connection:
        begun = time.monotonic()
        connection.settimeout(0.1)
        received, head = b"", iter(HEAD * 100)
        while not received and time.monotonic() - begun < 30:
            connection.sendall(bytes([next(head)]))  # each byte would restart a time limit between two reads
            try:
                received = connection.recv(4096)
            except TimeoutError:
                assert server.get("/health").status_code == 200
        seconds = time.monotonic() - begun
        assert received.startswith(b"HTTP/1.1 408 ")
        assert b"took too long" in received
        assert 0.9 < seconds < 10
        assert rejected(server) == 1


def test_a_second_head_on_the_same_connection_is_bounded_too(classifier: Classifier) -> None:
    with running(classifier, head_timeout=0.5, keep_alive=30) as server, raw(server.url) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200 ")
        time.sleep(1)  # between two requests the longer keep-alive counts
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /hea")
        received = read_all(connection)
        assert received.startswith(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1 408 " in received


def test_a_connection_that_sends_nothing_is_closed(classifier: Classifier) -> None:
    with running(classifier, head_timeout=0.5) as server, raw(server.url) as connection:
        assert read_all(connection) == b""
        assert rejected(server) == 0  # browsers connect ahead of time; nothing was refused
        wait_until(lambda: not server.server.server_state.connections)


def test_a_half_sent_upload_ends_whether_it_stops_or_leaves(classifier: Classifier) -> None:
    request = predict_bytes()
    with running(classifier, upload_timeout=1.0) as server:
        with raw(server.url, request[: len(request) // 2]) as silent:
            assert read_all(silent).startswith(b"HTTP/1.1 408 ")
        raw(server.url, request[: len(request) // 2]).close()
        left = {"method": "POST", "route": "/predict", "status": "499"}
        wait_until(lambda: server.metric("lesionlens_requests_total", **left) == 1)
        wait_until(lambda: server.state.running[1].uploads.inside == 0)
        assert server.post("/predict", files=as_file(PHOTO)).status_code == 200


def test_a_body_that_trickles_in_is_bounded_as_a_whole(classifier: Classifier) -> None:
    with running(classifier, upload_timeout=1.0) as server:
        with raw(server.url, HEAD + b"Content-Length: 9999\r\n\r\n" + PART) as connection:
            begun = time.monotonic()
            connection.settimeout(0.1)
            received = b""
            while not received and time.monotonic() - begun < 30:
                connection.sendall(b"x")
                try:
                    received = connection.recv(4096)
                except TimeoutError:
                    continue
        assert received.startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - begun < 10


def test_the_rest_of_a_body_that_was_answered_already_cannot_come_for_ever(classifier: Classifier) -> None:
    with running(classifier, upload_timeout=1.0) as server:
        with raw(server.url, b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n") as connection:
            wait_until(lambda: connection.recv(4096).startswith(b"HTTP/1.1 404 "))
            begun = time.monotonic()
            while time.monotonic() - begun < 30:
                try:
                    connection.sendall(b"x" * 100)
                except (BrokenPipeError, ConnectionResetError):
                    break
                time.sleep(0.05)
            assert time.monotonic() - begun < 30
        assert rejected(server) == 1


@pytest.mark.parametrize("requests", [1, 200], ids=["one answer", "many requests in a row"])
def test_a_client_that_does_not_read_is_cut_off(classifier: Classifier, requests: int) -> None:
    with running(classifier, write_timeout=1.0, max_connections=100) as server:
        size = len(server.get("/openapi.json").content)
        assert size > 50_000
        get = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        # The kernel takes some megabytes at most; what is more lies in the service until the client reads.
        send_buffer = 4096 if requests == 1 else None
        for listener in server.server._listeners:
            if send_buffer:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)  # accepted sockets inherit it
        with raw(server.url, get * requests, buffer=4096):
            wait_until(lambda: rejected(server) == 1)
            wait_until(lambda: len(server.server.server_state.connections) <= 1)  # the client of this test's own
        assert server.get("/health").status_code == 200


def test_a_slow_reader_that_reads_gets_all(classifier: Classifier) -> None:
    with running(classifier, write_timeout=0.5) as server:
        for listener in server.server._listeners:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        whole = len(server.get("/openapi.json").content)
        get = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        received = 0
        with raw(server.url, get, buffer=4096) as connection:
            begun = time.monotonic()
            while chunk := connection.recv(whole // 20):
                received += len(chunk)
                time.sleep(0.1)
        assert received > whole
        assert time.monotonic() - begun > 2 * 0.5  # longer than the limit, which is on standing still
        assert rejected(server) == 0


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),  # TLS to a port that speaks HTTP
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n\0\1\2 garbage\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["TLS", "after a request", "long header", "long target", "many headers", "two lengths", "bad chunk", "no host"],
)
def test_what_is_no_http_is_answered_400_and_hung_up(
    classifier: Classifier, nonsense: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with running(classifier) as server:
        with raw(server.url) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it hung up before all was sent
                connection.sendall(nonsense)
            received = read_all(connection)
        # Where it hangs up with bytes unread, the reset may overtake the answer.
        assert received == b"" or b"HTTP/1.1 400 " in received
        assert server.get("/health").status_code == 200
    assert not [record for record in caplog.records if record.exc_info]


def test_nonsense_in_a_body_that_was_answered_already_only_hangs_up(
    classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    with running(classifier) as server:
        head = b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        with raw(server.url, head) as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 404 ")
            connection.sendall(b"no number\r\n")
            read_all(connection)
        wait_until(lambda: not server.server.server_state.connections)
    assert not [record for record in caplog.records if record.exc_info]
