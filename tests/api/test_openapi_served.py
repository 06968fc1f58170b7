"""The API's description is built where it blocks nobody, and names the prefix that a proxy serves it under."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from lesionlens.api.app import WEB_FOLDER, create_app
from lesionlens.api.pages import pages
from lesionlens.version import __version__
from serving import InMemory


class Watched(FastAPI):
    """An app that knows in which thread its description was built."""

    built_in: threading.Thread | None = None

    def openapi(self) -> dict[str, Any]:
        self.built_in = threading.current_thread()
        return super().openapi()


def test_the_description_is_built_outside_the_event_loop() -> None:
    app = Watched(openapi_url=None)
    app.include_router(pages(WEB_FOLDER))
    client = InMemory(app)  # whose event loop runs in this thread
    assert client.get("/openapi.json").status_code == 200
    assert app.built_in not in (None, threading.current_thread())


def test_it_says_which_release_this_is() -> None:
    answer = InMemory(create_app()).get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["info"]["version"] == __version__
    assert "servers" not in answer.json()


def test_behind_a_prefix_it_says_so(tmp_path: Path) -> None:
    app = FastAPI(openapi_url=None)
    app.include_router(pages(tmp_path))

    async def behind_a_proxy(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": "/lesions"}, receive, send)

    client = InMemory(behind_a_proxy)  # type: ignore[arg-type]
    first, second = (client.get("/lesions/openapi.json").json() for _ in range(2))
    assert first["servers"] == second["servers"] == [{"url": "/lesions"}]
