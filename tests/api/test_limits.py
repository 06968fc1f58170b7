"""What the service does with more than it can take."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest
from fastapi import Request

from lesionlens import Classifier
from lesionlens.api.uploads import read_upload
from lesionlens.settings import Settings
from serving import GatedEngine, Running, as_file, behind, draw_lesion, encode, running, wait_until

PHOTO = encode(draw_lesion())
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


def in_background(pool: ThreadPoolExecutor, server: Running, path: str = "/predict") -> Future[httpx.Response]:
    return pool.submit(lambda: httpx.post(f"{server.url}{path}", files=as_file(PHOTO), timeout=60))


def raw(server: Running, *chunks: bytes) -> socket.socket:
    """A connection on which these bytes were sent."""
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    for chunk in chunks:
        connection.sendall(chunk)
    return connection


def test_a_file_of_the_largest_size_is_read_and_one_byte_more_is_not(classifier: Classifier) -> None:
    limit = len(PHOTO)
    with running(classifier, max_upload_bytes=limit) as server:
        assert server.post("/predict", files=as_file(PHOTO)).status_code == 200
        response = server.post("/predict", files=as_file(PHOTO + b"\0"))
        assert response.status_code == 413
        assert str(limit) in response.json()["error"]
        assert server.post("/v1/analyses", files=as_file(PHOTO + b"\0")).status_code == 413


def test_an_announced_size_is_refused_before_the_body_is_sent(classifier: Classifier) -> None:
    with (
        running(classifier, max_upload_bytes=2048) as server,
        raw(server, HEAD + b"Content-Length: 99999999\r\n\r\n") as connection,
    ):
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_an_unannounced_size_is_refused_while_it_streams(classifier: Classifier) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield PART
        while sent < 50_000_000:
            sent += 65_536
            yield b"x" * 65_536

    with running(classifier, max_upload_bytes=100_000) as server:
        response = server.post(
            "/v1/analyses", content=body(), headers={"content-type": "multipart/form-data; boundary=b"}
        )
    assert response.status_code == 413
    assert response.json()["type"] == "/v1/problems/image-too-large"


def test_a_whole_large_upload_gets_its_answer(classifier: Classifier) -> None:
    with running(classifier, max_upload_bytes=100_000) as server:
        assert server.post("/predict", files=as_file(b"x" * 30_000_000)).status_code == 413
        assert server.get("/health").status_code == 200  # on the same connection


def test_a_slow_upload_ends(classifier: Classifier) -> None:
    with (
        running(classifier, upload_timeout=0.3) as server,
        raw(server, HEAD + b"Content-Length: 9999\r\n\r\n" + PART) as connection,
    ):
        assert connection.recv(4096).startswith(b"HTTP/1.1 408")


def test_more_photos_than_the_queue_takes_are_refused_at_once(classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    with running(model, queue_size=3, max_batch=1) as server, ThreadPoolExecutor(3) as pool:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        try:
            accepted = [in_background(pool, server) for _ in range(3)]
            wait_until(lambda: server.metric("lesionlens_in_progress") == 3)
            for path in ("/predict", "/v1/analyses"):
                # Refused before the photo is read: most of this one is never sent.
                with raw(
                    server, HEAD.replace(b"/predict", path.encode()) + b"Content-Length: 9999\r\n\r\n"
                ) as connection:
                    head = connection.recv(4096).decode().lower()
                assert head.startswith("http/1.1 503")
                assert 1 <= int(head.split("retry-after: ")[1].split()[0]) <= 60
            refused = server.post("/predict", files=as_file(PHOTO))
            assert list(refused.json()) == ["error"]
            assert "busy" in refused.json()["error"]
            assert server.get("/health").status_code == 200  # the event loop is free all the while
        finally:
            engine.gate.set()
        assert [future.result().status_code for future in accepted] == [200, 200, 200]
        assert server.post("/predict", files=as_file(PHOTO)).status_code == 200


def test_more_uploads_than_are_read_at_once_are_refused(classifier: Classifier) -> None:
    with (
        running(classifier, max_uploads=1) as server,
        raw(server, HEAD + b"Content-Length: 9999\r\n\r\n" + PART),
    ):
        wait_until(lambda: server.state.running[1].uploads.inside == 1)
        response = server.post("/v1/analyses", files=as_file(PHOTO))
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
    # The upload that was broken off left its place.


def test_waiting_photos_are_computed_together(classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    with running(model, max_batch=4) as server, ThreadPoolExecutor(6) as pool:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        engine.batches.clear()
        answers = [in_background(pool, server)]
        wait_until(lambda: engine.batches == [1])
        answers += [in_background(pool, server) for _ in range(5)]
        wait_until(lambda: server.metric("lesionlens_queue_depth") == 5)
        engine.gate.set()
        assert {future.result().status_code for future in answers} == {200}
        assert engine.batches == [1, 4, 1]


def test_a_batch_can_be_waited_for(classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    with running(model, max_batch=2, batch_delay_ms=1000) as server, ThreadPoolExecutor(2) as pool:
        wait_until(lambda: server.state.warm)
        engine.batches.clear()
        answers = [in_background(pool, server) for _ in range(2)]
        assert {future.result().status_code for future in answers} == {200}
    assert engine.batches == [2]


def test_a_photo_that_waits_for_its_answer_does_not_keep_its_file(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    freed = threading.Event()

    class File(bytes):
        def __del__(self) -> None:
            freed.set()

    async def read(request: Request, settings: Settings) -> bytes:
        return File(await read_upload(request, settings))

    monkeypatch.setattr("lesionlens.api.routes.reading.read_upload", read)
    model, engine = behind(GatedEngine, classifier)
    with running(model) as server, ThreadPoolExecutor(1) as pool:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        answer = in_background(pool, server)
        try:
            assert freed.wait(30)
            assert not answer.done()
        finally:
            engine.gate.set()
        assert answer.result().status_code == 200


def test_a_client_that_leaves_is_not_computed_for(classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    request = httpx.Request("POST", "http://x/predict", files=as_file(PHOTO))
    body = request.read()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: {request.headers['content-type']}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with running(model, max_batch=1) as server, ThreadPoolExecutor(1) as pool:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        engine.batches.clear()
        first = in_background(pool, server)
        wait_until(lambda: engine.batches == [1])
        with raw(server, head.encode(), body):
            wait_until(lambda: server.metric("lesionlens_queue_depth") == 1)
        wait_until(lambda: server.metric("lesionlens_queue_depth") == 0)
        assert server.metric("lesionlens_in_progress") == 1
        engine.gate.set()
        assert first.result().status_code == 200
        assert server.post("/predict", files=as_file(PHOTO)).status_code == 200
        assert engine.batches == [1, 1]  # the one that left is not among them
        assert server.metric("lesionlens_requests_total", method="POST", route="/predict", status="499") == 1


def test_a_client_that_leaves_while_uploading_is_no_error(
    classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(classifier) as server:
        raw(server, HEAD + b"Content-Length: 9999\r\n\r\n" + PART).close()
        wait_until(
            lambda: server.metric("lesionlens_requests_total", method="POST", route="/predict", status="499") == 1
        )
    assert "Traceback" not in capsys.readouterr().out
