"""Apps with guarded routes, and the requests of all kinds of visitors to them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie
from typing import Any

import argon2
import httpx
import pytest
from fastapi import Depends, FastAPI

from lesionlens.api import create_app
from lesionlens.api.access import describe_access, require_access
from lesionlens.api.access.keys import hash_key, new_key
from lesionlens.api.access.loopback import is_loopback
from lesionlens.api.server import Server, listen
from lesionlens.settings import load_settings
from serving import TIMEOUT, wait_until

PASSWORD = "correct horse battery"
# The cheapest that argon2 knows, so that tests wait for nothing.
PASSWORD_HASH = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
OTHER_HASH = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("another password")
KEY = new_key()
KEYS = f"phone={hash_key(KEY)}"
LOCAL = ("127.0.0.1", 50000)
STRANGER = ("203.0.113.9", 40000)


def add_records(app: FastAPI) -> None:
    """Add routes that need access, and one that tells how the client stands."""

    @app.get("/test/records", dependencies=[Depends(require_access)])
    async def read() -> str:
        return "what is in the records"

    @app.post("/test/records", dependencies=[Depends(require_access)])
    async def write() -> str:
        return "written"

    app.add_api_route("/test/access", describe_access)


def guarded(**settings: Any) -> FastAPI:
    """A new app with those routes."""
    app = create_app(load_settings(**({"tracker": "off"} | settings)))
    add_records(app)
    return app


def own_address() -> str:
    """An address of this machine other than loopback; the test is skipped where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; it only looks for the way
            address = str(probe.getsockname()[0])
        except OSError:
            address = "127.0.0.1"
    if is_loopback(address):
        pytest.skip("this machine has no address but loopback")
    return address


@contextlib.contextmanager
def on_every_interface(app: FastAPI) -> Iterator[int]:
    """Serve an app to whoever can reach this machine, whatever its settings say; gives the port."""
    with listen("0.0.0.0", 0) as listener:
        server = Server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive())
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(TIMEOUT)


class Visitor:
    """Sends requests to an app from an address of its own, and keeps cookies as a browser does."""

    def __init__(self, app: FastAPI, url: str = "http://127.0.0.1:5000", client: tuple[str, int] = LOCAL) -> None:
        self._transport = httpx.ASGITransport(app, client=client)
        self._url = url
        self.cookies = httpx.Cookies()

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url=self._url, cookies=self.cookies, timeout=60
            ) as client:
                response = await client.request(method, path, **request)
                self.cookies = client.cookies
                return response

        return asyncio.run(send())

    def get(self, path: str = "/test/records", **request: Any) -> httpx.Response:
        return self.ask("GET", path, **request)

    def post(self, path: str = "/test/records", **request: Any) -> httpx.Response:
        return self.ask("POST", path, **request)

    def log_in(self, password: str = PASSWORD, **headers: str) -> httpx.Response:
        return self.post("/v1/session", json={"password": password}, headers=headers)


def cookie_of(response: httpx.Response) -> Morsel[str]:
    """The one cookie that a response sets."""
    [header] = response.headers.get_list("set-cookie")
    [cookie] = SimpleCookie(header).values()
    return cookie


def slug(response: httpx.Response) -> str:
    """Which problem a response tells, after a look at whether it does so as it should."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    document = response.json()
    assert document["status"] == response.status_code
    if response.status_code == 401:
        assert response.headers["www-authenticate"].startswith("Bearer")
    return str(document["type"]).removeprefix("/v1/problems/")
