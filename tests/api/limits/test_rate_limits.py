"""Rate limits in the memory of the service, over HTTP: who is counted as whom, where, and what the answer says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from limits import parse

from lesionlens import Classifier
from lesionlens.api import create_app
from lesionlens.api.access.keys import hash_key
from lesionlens.api.limits.storage import MemoryCounts
from lesionlens.settings import load_settings
from serving import Running, as_file, draw_lesion, encode, running

KEYS = f"phone={hash_key('p')} backup={hash_key('b')}"
STATE = re.compile(r'"(\d+)-in-(\d+)s";r=(\d+);t=(\d+)')


@pytest.fixture
def service(classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path))
    with running(classifier, api_keys=KEYS, rate_limit="3/hour") as server:
        yield server


def ask(
    app: FastAPI, *requests: tuple[str, dict[str, str]], path: str = "/v1/analyses", proxied: bool = False
) -> list[int]:
    """Statuses of requests without a photo, each from an address of its own and with headers."""

    async def send() -> list[int]:
        statuses = []
        for address, headers in requests:
            transport: Any = httpx.ASGITransport(app, client=(address, 40000))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                statuses.append((await client.post(path, headers=headers)).status_code)
        await app.state.lesionlens.close()
        return statuses

    return asyncio.run(send())


def limited(**settings: Any) -> FastAPI:
    """An app that lets two requests through, and fails at those that it lets through: its model is not loaded."""
    return create_app(load_settings(**({"tracker": "off", "rate_limit": "2/hour", "api_keys": KEYS} | settings)))


def key(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


def test_over_the_limit_the_answer_says_when_to_come_again(service: Running) -> None:
    photo = as_file(encode(draw_lesion(), "JPEG"))
    for left in (2, 1, 0):
        answer = service.post("/v1/analyses", files=photo, headers=key("p"))
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"3-in-3600s";q=3;w=3600'
        [(amount, window, remaining, reset)] = STATE.findall(answer.headers["ratelimit"])
        assert (amount, window, remaining) == ("3", "3600", str(left))
        assert 0 < int(reset) <= 3600
    answer = service.post("/v1/analyses", files=photo, headers=key("p"))
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/v1/problems/rate-limited"
    seconds = int(answer.headers["retry-after"])
    assert 0 < seconds <= 3601
    assert answer.json()["detail"].startswith("The API key 'phone' has sent too many requests: accepted are 3 requests")
    assert f"in {seconds} seconds" in answer.json()["detail"]
    assert STATE.findall(answer.headers["ratelimit"]) == [("3", "3600", "0", str(seconds))]
    contract = service.post("/predict", files=photo, headers=key("p"))
    assert contract.status_code == 429
    assert list(contract.json()) == ["error"]
    assert contract.headers["retry-after"]
    assert service.metric("lesionlens_rate_limited_total", by="key") == 2
    assert service.metric("lesionlens_rate_limited_total", by="address") == 0
    assert service.metric("lesionlens_requests_total", method="POST", route="/predict", status="429") == 1
    assert "lesionlens_rate_limited_total" in service.get("/metrics").text


def test_every_costly_route_counts_and_the_others_do_not(service: Running) -> None:
    costly = {
        ("POST", "/predict"),
        ("POST", "/v1/analyses"),
        ("POST", "/v1/lesions/{lesion_id}/visits"),
        ("POST", "/v1/visits/{visit_id}/analyses"),
        ("GET", "/v1/export"),
        ("POST", "/v1/import"),
        ("GET", "/v1/people/{person_id}/report"),
    }
    for _ in range(4):
        service.post("/predict", headers=key("b"))
    found = set()
    described = service.get("/openapi.json").json()["paths"]
    for path, methods in described.items():
        for method in methods:
            answer = service.client.request(method, re.sub(r"\{[^}]*\}", "x", path), headers=key("b"))
            if answer.status_code == 429:
                found.add((method.upper(), path))
                assert "429" in methods[method]["responses"], path
            else:
                assert "ratelimit" not in answer.headers
    assert found == costly
    assert service.get("/").status_code == 200


def test_pages_of_other_origins_may_read_the_headers(service: Running) -> None:
    answer = service.post("/v1/analyses", headers={"Origin": "https://skintracker.example"} | key("p"))
    exposed = answer.headers["access-control-expose-headers"]
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= {name.strip() for name in exposed.split(",")}


def test_a_key_is_one_client_wherever_it_comes_from() -> None:
    asked = ask(limited(), *((f"203.0.113.{n}", key("p")) for n in range(4)), ("203.0.113.0", key("b")))
    assert [status == 429 for status in asked] == [False, False, True, True, False]


def test_without_a_good_key_the_address_counts() -> None:
    one, other = ("203.0.113.9", {}), ("203.0.113.8", {})
    wrong = ("203.0.113.9", key("made up"))  # a new key for each request must not be a new client
    assert [status == 429 for status in ask(limited(), one, wrong, one, other, wrong)] == [
        False,
        False,
        True,
        False,
        True,
    ]


def test_a_network_of_ipv6_is_one_client() -> None:
    inside = [(f"2001:db8:0:1::{n}", dict[str, str]()) for n in range(3)]
    assert [status == 429 for status in ask(limited(), *inside, ("2001:db8:0:2::1", {}))] == [False, False, True, False]


def test_a_proxy_is_believed_only_where_the_server_trusts_it(classifier: Classifier) -> None:
    with running(classifier, tracker="off", rate_limit="1/hour") as server:  # uvicorn trusts 127.0.0.1
        for address in ("203.0.113.1", "203.0.113.2"):
            assert server.post("/predict", headers={"X-Forwarded-For": address}).status_code == 400
            assert server.post("/predict", headers={"X-Forwarded-For": address}).status_code == 429
    app = limited(rate_limit="1/hour")
    forwarded = [("203.0.113.9", {"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(2)]
    assert ask(app, *forwarded)[1] == 429


def test_refused_requests_do_not_count(classifier: Classifier) -> None:
    with running(classifier, tracker="off", api_keys=KEYS, protect_predict=True, rate_limit="1/hour") as server:
        for _ in range(3):
            assert server.post("/predict").status_code == 401
        assert server.post("/predict", headers=key("p")).status_code == 400
        assert server.post("/predict", headers=key("p")).status_code == 429


def test_the_shortest_window_is_told_first_and_spares_the_long_one(classifier: Classifier) -> None:
    with running(classifier, tracker="off", rate_limit="9/hour;1/minute") as server:
        server.post("/predict")
        answer = server.post("/predict")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) <= 121
        assert [found[:3] for found in STATE.findall(answer.headers["ratelimit"])] == [("1", "60", "0")]
        limiter_ = server.state.limiter
        assert limiter_ is not None
        assert [str(quota) for quota in limiter_.quotas] == ["1 request in 60 seconds", "9 requests in 3600 seconds"]


def test_without_a_limit_nothing_is_told(server: Running) -> None:
    answer = server.post("/predict")
    assert answer.status_code == 400
    assert "ratelimit" not in answer.headers


def test_an_app_may_be_started_again(classifier: Classifier) -> None:
    app = create_app(load_settings(tracker="off", rate_limit="1/hour"), classifier)

    async def live() -> int:
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return (await client.post("/predict")).status_code

    assert [asyncio.run(live()), asyncio.run(live())] == [400, 429]


def test_workers_that_count_by_themselves_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    limited(workers=2)
    assert capsys.readouterr().out.count("LESIONLENS_RATE_LIMIT_STORAGE") == 1
    limited(workers=1)
    limited(workers=2, rate_limit="")
    assert capsys.readouterr().out == ""


def test_the_memory_is_bounded() -> None:
    async def fill() -> int:
        counts, most = MemoryCounts(), 0
        item = parse("5/minute")
        for number in range(30):
            await counts.make_room()
            await counts.storage.acquire_sliding_window_entry(item.key_for("address", str(number)), 5, 60)
            most = max(most, len(counts.storage.storage))
        await counts.close()
        return most

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lesionlens.api.limits.storage._MOST_COUNTS", 10)
        assert asyncio.run(fill()) == 11
