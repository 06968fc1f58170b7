"""Real servers and photos for the tests of the service, the contract and the page."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image, ImageDraw, ImageFilter

from lesionlens import Classifier
from lesionlens.api import create_app
from lesionlens.api.server import Server, listen
from lesionlens.api.state import AppState
from lesionlens.errors import EngineError
from lesionlens.inference.bundle import Bundle
from lesionlens.inference.engines import Engine, EngineInfo, Outputs
from lesionlens.settings import load_settings

TIMEOUT = 60.0  # seconds; generous, since the machine may be busy with other work
ORIENTATION_TAG = 0x0112
SERVE = "from lesionlens.cli import app; app()"


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The embedded model, loaded once."""
    return Classifier(engine="onnxruntime")


@pytest.fixture(scope="session")
def server(classifier: Classifier) -> Iterator[Running]:
    """A server with default settings."""
    with running(classifier) as server:
        yield server


def with_manifest(classifier: Classifier, **changes: Any) -> Classifier:
    """The same network with other values in its manifest."""
    bundle = Bundle(classifier.bundle.path, classifier.manifest.model_copy(update=changes))
    return Classifier(bundle, engine=classifier._engine)


class Running:
    """A server in a thread of its own, and a client of it."""

    def __init__(self, url: str, server: Server, state: AppState, thread: threading.Thread) -> None:
        self.url = url
        self.server = server
        self.thread = thread
        self.state = state
        self.client = httpx.Client(base_url=url, timeout=TIMEOUT)
        self.get = self.client.get
        self.post = self.client.post

    def metric(self, name: str, **labels: str) -> float:
        """Value of a metric; 0 where it has not been counted."""
        return self.state.metrics.registry.get_sample_value(name, labels) or 0.0


@contextlib.contextmanager
def running(
    classifier: Classifier | None, *, extend: Callable[[FastAPI], object] | None = None, **settings: Any
) -> Iterator[Running]:
    """Serve a new app over a real socket, and end it in an orderly way; `extend` may add to the app before."""
    settings = {"host": "127.0.0.1", "port": 0, "shutdown_timeout": 20} | settings
    app = create_app(load_settings(**settings), classifier)
    if extend is not None:
        extend(app)
    with listen("127.0.0.1", 0) as listener:
        server = Server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        handle = Running(f"http://127.0.0.1:{listener.getsockname()[1]}", server, app.state.lesionlens, thread)
        try:
            wait_until(lambda: server.started or not thread.is_alive())
            yield handle
        finally:
            handle.client.close()
            server.should_exit = True
            thread.join(TIMEOUT)


class InMemory:
    """Asks an app without a server or its lifespan."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Send a GET request."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.get(path, **options)

        return asyncio.run(ask())


class Started:
    """A process that serves, and what it prints."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def url(self) -> str:
        """The address that it printed."""
        wait_until(lambda: any("http://" in line for line in self.lines) or self.process.poll() is not None)
        printed = " ".join(self.lines)
        assert "http://" in printed, printed
        return "http://" + printed.split("http://")[1].split('"')[0].split()[0]

    def end(self, sig: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(sig)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end and return the exit status."""
        status = self.process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


class Program(Started):
    """`lesionlens serve` as a process."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        super().__init__(
            [sys.executable, "-c", SERVE, "serve", "--port", "0", *arguments],
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )


def wait_until(condition: Any, seconds: float = TIMEOUT) -> None:
    """Wait for a condition, which fails the test if it never holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def draw_lesion(width: int = 320, height: int = 240, seed: int = 0) -> Image.Image:
    """A drawn lesion, off the middle, so that every turn of it looks different."""
    generator = np.random.default_rng(seed)
    skin = generator.normal((222, 178, 150), 6, (height, width, 3)).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(skin)
    draw = ImageDraw.Draw(image)
    x, y, r = width * 0.42, height * 0.45, min(width, height) * 0.22
    draw.ellipse((x - r, y - 0.7 * r, x + r, y + 0.8 * r), fill=(112, 66, 48))
    draw.ellipse((x - 0.2 * r, y - 0.4 * r, x + 0.7 * r, y + 0.3 * r), fill=(58, 34, 30))
    return image.filter(ImageFilter.GaussianBlur(2))


def encode(image: Image.Image, image_format: str = "PNG", *, orientation: int | None = None, **options: Any) -> bytes:
    """A file with that picture, with an EXIF orientation if one is given."""
    if orientation is not None:
        exif = Image.Exif()
        exif[ORIENTATION_TAG] = orientation
        options["exif"] = exif
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def as_file(data: bytes, name: str = "image.jpg", media_type: str = "image/jpeg") -> dict[str, Any]:
    """The multipart form that a client sends."""
    return {"file": (name, data, media_type)}


class GatedEngine:
    """The real engine behind a gate, so that a test decides when a forward pass goes on."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[int] = []

    @property
    def info(self) -> EngineInfo:
        return self._inner.info

    def run(self, batch: Any) -> Outputs:
        self.batches.append(len(batch))
        assert self.gate.wait(TIMEOUT)
        return self._inner.run(batch)


class FailingEngine(GatedEngine):
    """An engine that fails when its gate is shut."""

    def run(self, batch: Any) -> Outputs:
        if not self.gate.is_set():
            raise EngineError("out of memory on the device at /secret/path")
        return self._inner.run(batch)


class BlindEngine(GatedEngine):
    """An engine whose maps have no values, so that no heatmap can be drawn from them."""

    def run(self, batch: Any) -> Outputs:
        return self._inner.run(batch)._replace(maps=np.zeros((len(batch), 8, 0, 0), dtype=np.float32))


def behind(engine: type[GatedEngine], classifier: Classifier) -> tuple[Classifier, Any]:
    """The same model, run by such an engine."""
    gated = engine(classifier._engine)
    return Classifier(classifier.bundle, engine=gated), gated
