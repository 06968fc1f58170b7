"""What the tests of faults share: raw connections, metrics over HTTP, and services with several workers."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from lesionlens.loadtest.photos import drawn_photo
from serving import TIMEOUT, Program, as_file, wait_until

PHOTO = drawn_photo(320, 240)
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


def raw(url: str, *chunks: bytes, buffer: int | None = None) -> socket.socket:
    """A connection on which these bytes were sent; `buffer` bounds what the kernel keeps of the answer, in bytes."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.socket()
    connection.settimeout(TIMEOUT)
    if buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    try:
        connection.connect((host, int(port)))
        for chunk in chunks:
            connection.sendall(chunk)
    except OSError:
        connection.close()
        raise
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Everything until the server closes; what was reset counts as its end."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def predict(url: str, timeout: float = TIMEOUT) -> httpx.Response:
    """Send one photo over a connection of its own."""
    return httpx.post(f"{url}/predict", files=as_file(PHOTO), timeout=timeout)


def predict_bytes() -> bytes:
    """The same request as bytes."""
    request = httpx.Request("POST", "http://x/predict", files=as_file(PHOTO))
    body = request.read()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: {request.headers['content-type']}\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def figure(url: str, name: str, **labels: str) -> float:
    """A metric as /metrics tells it; 0 if it is not there."""
    for line in httpx.get(f"{url}/metrics", timeout=TIMEOUT).text.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
            return float(found[3])
    return 0.0


class Workers:
    """`lesionlens serve --workers N` as a process."""

    def __init__(self, count: int, *arguments: str, **environment: str) -> None:
        environment = {"LESIONLENS_LOG_FORMAT": "json", "OMP_NUM_THREADS": "1", **environment}
        self.program = Program("--workers", str(count), *arguments, **environment)
        self.count = count
        self.url = self.program.url()

    def events(self, event: str | None = None) -> list[dict[str, Any]]:
        """What it logged, in order; with `event` only such lines."""
        lines = [json.loads(line) for line in list(self.program.lines) if line.startswith("{")]
        return [line for line in lines if event in (None, line["event"])]

    def wait_for(self, event: str, times: int = 1, seconds: float = 2 * TIMEOUT) -> None:
        """Wait until it has logged this so often."""
        wait_until(lambda: len(self.events(event)) >= times or self.program.process.poll() is not None, seconds)
        assert len(self.events(event)) >= times, "".join(self.program.lines[-20:])

    def wait_until_ready(self) -> None:
        """Wait until all workers are."""
        if self.count == 1:  # nobody watches over a single process
            self.wait_for("ready")
        else:
            self.wait_for("worker ready", self.count)

    def pids(self) -> dict[int, int]:
        """The worker that became ready last, by its place."""
        return {line["number"]: line["pid"] for line in self.events("worker ready")}

    def text(self) -> str:
        """All that it printed."""
        return "".join(self.program.lines)


@contextmanager
def workers(count: int, *arguments: str, **environment: str) -> Iterator[Workers]:
    """Serve with several workers, and end whatever is left of them."""
    service = Workers(count, *arguments, **environment)
    try:
        service.wait_until_ready()
        yield service
    finally:
        if service.program.process.poll() is None:
            service.program.end()


def customised(folder: Path, code: str, argument: str = "lesionlens.api.workers.main") -> dict[str, str]:
    """Environment under which each process with that argument first runs some code (see Python's module `site`)."""
    lines = "".join(f"    {line}\n" for line in code.splitlines())
    (folder / "sitecustomize.py").write_text(f"import os, sys\nif {argument!r} in sys.orig_argv:\n{lines}")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
