"""Pages of other sites cannot make a browser use the records, be it logged in or at the machine itself."""

from __future__ import annotations

import json

import pytest
from fastapi import FastAPI
from visitors import KEY, KEYS, PASSWORD, PASSWORD_HASH, Visitor, add_records, cookie_of, guarded, slug

from lesionlens import Classifier
from serving import running

NAS = "http://nas:5000"
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://nas:8080"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]
OWN = [
    {"Sec-Fetch-Site": "same-origin", "Origin": NAS},
    {"Sec-Fetch-Site": "none"},
    {"Origin": NAS},
    {},
]


@pytest.fixture
def app() -> FastAPI:
    return guarded(password_hash=PASSWORD_HASH, api_keys=KEYS)


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_session_is_no_use_to_other_sites(app: FastAPI, headers: dict[str, str]) -> None:
    visitor = Visitor(app, NAS)
    assert visitor.log_in().status_code == 204
    for answer in (
        visitor.post(headers=headers),
        visitor.get(headers=headers),
        visitor.ask("HEAD", "/test/records", headers=headers),
    ):
        assert answer.status_code == 403
        assert answer.request.headers["cookie"]
        assert "what is in" not in answer.text
    assert slug(visitor.post(headers=headers)) == "access-refused"
    assert visitor.get("/test/access", headers=headers).json()["granted"] is False


@pytest.mark.parametrize("headers", OWN)
def test_the_own_page_and_programs_pass(app: FastAPI, headers: dict[str, str]) -> None:
    visitor = Visitor(app, NAS)
    assert visitor.log_in(**headers).status_code == 204
    assert visitor.post(headers=headers).status_code == 200
    assert visitor.get(headers=headers).status_code == 200
    assert visitor.ask("DELETE", "/v1/session", headers=headers).status_code == 204


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_sites_can_do_nothing_at_the_machine_itself(headers: dict[str, str]) -> None:
    visitor = Visitor(guarded())
    assert visitor.post().status_code == 200
    for answer in (visitor.post(headers=headers), visitor.get(headers=headers)):
        assert answer.status_code == 403
        assert slug(answer) == "access-refused"


@pytest.mark.parametrize("headers", FOREIGN)
def test_nobody_can_be_logged_in_or_out_by_another_site(app: FastAPI, headers: dict[str, str]) -> None:
    visitor = Visitor(app, NAS)
    token = cookie_of(visitor.log_in()).value
    for answer in (visitor.ask("DELETE", "/v1/session", headers=headers), visitor.log_in(**headers)):
        assert answer.status_code == 403
        assert slug(answer) == "access-refused"
        assert "set-cookie" not in answer.headers
    assert Visitor(app, NAS).get(headers={"Cookie": f"lesionlens={token}"}).status_code == 200


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_forms_of_other_sites_cannot_log_in(app: FastAPI, media_type: str) -> None:
    body = json.dumps({"password": PASSWORD})
    for headers, status in (({"Origin": "https://evil.example"}, 403), ({}, 400)):
        answer = Visitor(app, NAS).post("/v1/session", content=body, headers={"Content-Type": media_type} | headers)
        assert answer.status_code == status
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_key_is_sent_on_purpose_and_so_exempt(app: FastAPI, headers: dict[str, str]) -> None:
    answer = Visitor(app, NAS).post(headers=headers | {"Authorization": f"Bearer {KEY}"})
    assert answer.json() == "written"


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_wrong_key_exempts_from_nothing(app: FastAPI, headers: dict[str, str]) -> None:
    visitor = Visitor(app, NAS)
    visitor.log_in()
    assert visitor.post(headers=headers | {"Authorization": "Bearer wrong"}).status_code == 403


def test_no_other_origin_is_told_that_it_may_read(classifier: Classifier) -> None:
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    with running(classifier, extend=add_records, tracker="off") as server:
        for method, path in (("OPTIONS", "/v1/session"), ("OPTIONS", "/test/records"), ("GET", "/test/records")):
            answer = server.client.request(method, path, headers=asks)
            assert "access-control-allow-origin" not in answer.headers, (method, path)
            assert answer.status_code in (403, 405)
        assert server.client.options("/predict", headers=asks).headers["access-control-allow-origin"] == "*"
