"""Without a password only who is at the machine itself gets in, whatever settings, a proxy or a name server say."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import httpx
import pytest
from visitors import LOCAL, STRANGER, Visitor, add_records, guarded, on_every_interface, own_address, slug

from lesionlens import Classifier
from lesionlens.api import create_app
from lesionlens.api.access.loopback import is_loopback
from lesionlens.settings import load_settings
from serving import TIMEOUT, Running, running


@pytest.fixture(scope="module")
def local(classifier: Classifier) -> Iterator[Running]:
    with running(classifier, extend=add_records, tracker="off") as server:
        yield server


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1", "localhost", "Localhost"]
)
def test_loopback_addresses(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "fe80::1",
        "203.0.113.9",
        "",
        "nas",
        "127.0.0.1.example.org",
        "testclient",
    ],
)
def test_other_addresses(address: str) -> None:
    assert not is_loopback(address)


def test_at_the_machine_itself_nothing_is_asked(local: Running) -> None:
    assert local.get("/test/records").json() == "what is in the records"
    assert local.post("/test/records").json() == "written"
    assert local.get("/test/access").json() == {"required": False, "granted": True, "password": False}


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "LocalHost:80", "127.0.0.1", "127.0.0.1:8443", "[::1]:5000", "[::1]"]
)
def test_names_of_this_machine(local: Running, host: str) -> None:
    assert local.get("/test/records", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:5000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example#localhost",
        "localhost:5000@evil.example",
        "localhost:x",
        "localhost:",
        "[::1",
        "192.168.1.7:5000",
        "0.0.0.0:5000",
    ],
)
def test_dns_rebinding_is_refused(local: Running, host: str) -> None:
    # To a browser a page of evil.example, once that name stands for 127.0.0.1, is of the same origin as the service.
    own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    for answer in (
        local.get("/test/records", headers={"Host": host}),
        local.get("/test/records", headers=own),
        local.post("/test/records", headers=own),
    ):
        assert answer.status_code == 403
        assert slug(answer) == "access-refused"
        assert "what is in" not in answer.text
        assert "LESIONLENS_PASSWORD_HASH" in answer.json()["detail"]
    assert local.get("/test/access", headers=own).json() == {"required": True, "granted": False, "password": False}


def test_two_hosts_or_none_are_refused(local: Running) -> None:
    port = httpx.URL(local.url).port
    assert port is not None
    for hosts in ([], ["localhost", "evil.example"], ["evil.example", "localhost"]):
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
            lines = ["GET /test/records HTTP/1.1", *(f"Host: {host}" for host in hosts), "Connection: close", "", ""]
            connection.sendall("\r\n".join(lines).encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        assert answer.split()[1] in (b"400", b"403"), answer  # 400 where the server itself refuses it
        assert b"what is in" not in answer


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"],
)
@pytest.mark.parametrize("value", ["203.0.113.9", "127.0.0.1", "localhost", "http"])
def test_a_proxy_is_refused_whomever_it_names(local: Running, header: str, value: str) -> None:
    answer = local.get("/test/records", headers={header: value})
    assert answer.status_code == 403
    assert slug(answer) == "access-refused"


def test_a_proxy_that_says_nothing_is_known_by_its_http_1_0(local: Running) -> None:
    port = httpx.URL(local.url).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        # What nginx sends with nothing but `proxy_pass http://127.0.0.1:5000`.
        connection.sendall(
            f"GET /test/records HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.split()[1] == b"403"
    assert b"through a proxy" in answer


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://[", "file://", "http://localhost.evil.example"]
)
def test_a_page_of_another_name_is_refused_even_if_its_browser_says_nothing_else(local: Running, origin: str) -> None:
    for headers in ({"Origin": origin}, {"Origin": origin, "Sec-Fetch-Site": "same-origin"}):
        assert local.post("/test/records", headers=headers).status_code == 403


def test_the_connection_counts_and_not_the_settings() -> None:
    app = guarded(host="127.0.0.1")
    assert Visitor(app, client=LOCAL).get().status_code == 200
    for url, client in (
        ("http://127.0.0.1:5000", STRANGER),
        ("http://192.168.1.7:5000", LOCAL),
        ("http://192.168.1.7:5000", STRANGER),
    ):
        answer = Visitor(app, url, client).get(headers={"Host": "localhost:5000"})
        assert answer.status_code == 403
        assert slug(answer) == "access-refused"


def test_a_server_bound_to_an_address_that_the_settings_do_not_name(classifier: Classifier) -> None:
    address = own_address()
    app = create_app(load_settings(host="127.0.0.1", tracker="off"), classifier)
    add_records(app)
    with on_every_interface(app) as port:
        inside = httpx.get(f"http://127.0.0.1:{port}/test/records", timeout=TIMEOUT)
        named = {"Host": f"localhost:{port}"}
        outside = httpx.get(f"http://{address}:{port}/test/records", headers=named, timeout=TIMEOUT)
    assert inside.status_code == 200
    assert outside.status_code == 403
    assert "the machine that the service runs on" in outside.json()["detail"]


def test_a_server_that_does_not_tell_the_addresses_is_refused() -> None:
    app = guarded()
    sent: list[dict[str, object]] = []

    async def ask() -> None:
        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/test/records",
            "raw_path": b"/test/records",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"localhost")],
            "server": ("/run/lesionlens.sock", None),
            "client": None,
        }
        await app(scope, receive, send)  # type: ignore[arg-type]

    asyncio.run(ask())
    assert sent[0]["status"] == 403
