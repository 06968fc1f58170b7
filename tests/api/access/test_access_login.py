"""Logging in and out: cookies, what they are worth, and for how long."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from visitors import (
    KEYS,
    LOCAL,
    OTHER_HASH,
    PASSWORD,
    PASSWORD_HASH,
    STRANGER,
    Visitor,
    add_records,
    cookie_of,
    guarded,
    slug,
)

from lesionlens import Classifier
from lesionlens.api.access.sessions import Sessions
from serving import TIMEOUT, Running, running

SECRET = "k" * 40
HTTPS = "https://derm.example"


@pytest.fixture
def app() -> FastAPI:
    return guarded(password_hash=PASSWORD_HASH)


@pytest.fixture(scope="module")
def service(classifier: Classifier) -> Iterator[Running]:
    with running(classifier, extend=add_records, tracker="off", password_hash=PASSWORD_HASH) as server:
        yield server


@pytest.mark.parametrize("setting", ["password", "password_hash"])
@pytest.mark.parametrize("client", [LOCAL, STRANGER])
def test_whoever_knows_the_password_gets_in_and_nobody_else(setting: str, client: tuple[str, int]) -> None:
    app = guarded(**{setting: PASSWORD if setting == "password" else PASSWORD_HASH})
    one, other = Visitor(app, client=client), Visitor(app, client=client)
    for visitor in (one, other):
        for answer in (visitor.get(), visitor.post()):
            assert answer.status_code == 401
            assert slug(answer) == "access-required"
            assert "what is in" not in answer.text
            assert "POST /v1/session" in answer.json()["detail"]
    assert other.log_in("correct horse batterie").status_code == 401
    answer = one.log_in()
    assert answer.status_code == 204
    assert answer.content == b""
    assert one.get().json() == "what is in the records"
    assert one.post().json() == "written"
    assert other.get().status_code == 401


def test_two_browsers_at_a_real_server(service: Running) -> None:
    with httpx.Client(base_url=service.url, timeout=TIMEOUT) as one, httpx.Client(base_url=service.url) as other:
        assert one.post("/v1/session", json={"password": PASSWORD}).status_code == 204
        assert one.get("/test/records").status_code == 200
        assert other.get("/test/records").status_code == 401
        assert one.delete("/v1/session").status_code == 204
        assert one.get("/test/records").status_code == 401


def test_the_cookie_over_plain_http(app: FastAPI) -> None:
    answer = Visitor(app).log_in()
    cookie = cookie_of(answer)
    assert cookie.key == "lesionlens"
    assert cookie["httponly"]
    assert cookie["samesite"] == "strict"
    assert cookie["path"] == "/"
    assert cookie["max-age"] == str(7 * 24 * 3600)
    assert not cookie["secure"]
    assert not cookie["domain"]
    assert answer.headers["cache-control"] == "no-store"


def test_the_cookie_over_https_is_for_https_only(app: FastAPI) -> None:
    visitor = Visitor(app, HTTPS, STRANGER)
    cookie = cookie_of(visitor.log_in())
    assert cookie.key == "__Host-lesionlens"
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "strict"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert visitor.get().status_code == 200
    # Anybody on the way, or a neighbouring subdomain, can set a cookie without the prefix.
    planted = Visitor(app, HTTPS, STRANGER).get(headers={"Cookie": f"lesionlens={cookie.value}"})
    assert planted.status_code == 401


def test_a_trusted_proxy_tells_of_https_and_others_do_not(service: Running, app: FastAPI) -> None:
    # The server believes 127.0.0.1 unless FORWARDED_ALLOW_IPS names others.
    with httpx.Client(base_url=service.url, timeout=TIMEOUT) as proxied:
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        cookie = cookie_of(proxied.post("/v1/session", json={"password": PASSWORD}, headers=forwarded))
        assert cookie.key == "__Host-lesionlens"
        assert cookie["secure"]
    untrusted = Visitor(app, client=STRANGER).log_in(**{"X-Forwarded-Proto": "https"})
    assert cookie_of(untrusted).key == "lesionlens"


def test_https_only_can_be_demanded() -> None:
    app = guarded(password_hash=PASSWORD_HASH, secure_cookie="on")
    cookie = cookie_of(Visitor(app).log_in())
    assert cookie.key == "__Host-lesionlens"
    assert cookie["secure"]
    assert Visitor(app).get(headers={"Cookie": f"__Host-lesionlens={cookie.value}"}).status_code == 200
    assert Visitor(app).get(headers={"Cookie": f"lesionlens={cookie.value}"}).status_code == 401


def test_a_session_ends_when_its_time_is_over() -> None:
    app = guarded(password_hash=PASSWORD_HASH, session_hours=2, secret_key=SECRET)

    def begun(seconds_ago: float) -> int:
        clock = lambda: time.time() - seconds_ago  # noqa: E731
        token = Sessions(SECRET.encode(), PASSWORD_HASH, 7200, clock).begin()
        return Visitor(app).get(headers={"Cookie": f"lesionlens={token}"}).status_code

    assert cookie_of(Visitor(app).log_in())["max-age"] == "7200"
    assert [begun(seconds) for seconds in (0, 7100, 7210, 10**7)] == [200, 200, 401, 401]


def test_a_changed_cookie_is_worth_nothing(app: FastAPI) -> None:
    token = cookie_of(Visitor(app).log_in()).value
    name, stamp, signature = token.split(".")
    later = base64.urlsafe_b64encode((int(time.time()) + 3600).to_bytes(4, "big")).decode().rstrip("=")
    changed = [
        f"{name}.{later}.{signature}",
        f"{name}.{stamp}.",
        f"{name}.{stamp}",
        f"{name[::-1]}.{stamp}.{signature}",
        "",
    ]
    for value in changed:
        answer = Visitor(app).get(headers={"Cookie": f"lesionlens={value}"})
        assert answer.status_code == 401
        assert slug(answer) == "access-required"
    assert Visitor(app).get(headers={"Cookie": f"lesionlens={token}"}).status_code == 200


@pytest.mark.parametrize(
    ("before", "after", "valid"),
    [
        ({"password_hash": PASSWORD_HASH}, {"password_hash": PASSWORD_HASH}, True),
        ({"password": PASSWORD}, {"password": PASSWORD}, True),
        ({"password_hash": PASSWORD_HASH}, {"password_hash": OTHER_HASH}, False),
        ({"password": PASSWORD}, {"password": "another password"}, False),
        ({"password_hash": PASSWORD_HASH}, {"api_keys": KEYS}, False),
        ({"password_hash": PASSWORD_HASH}, {"password_hash": PASSWORD_HASH, "secret_key": SECRET}, False),
    ],
)
def test_a_restart_keeps_sessions_and_a_new_password_ends_them(
    before: dict[str, str], after: dict[str, str], valid: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path))
    token = cookie_of(Visitor(guarded(tracker="auto", **before)).log_in()).value
    answer = Visitor(guarded(tracker="auto", **after)).get(headers={"Cookie": f"lesionlens={token}"})
    assert answer.status_code == (200 if valid else 401)


def test_replicas_with_one_secret_key_take_each_others_sessions() -> None:
    one, other = (guarded(password_hash=PASSWORD_HASH, secret_key=SECRET) for _ in range(2))
    token = cookie_of(Visitor(one).log_in()).value
    assert Visitor(other).get(headers={"Cookie": f"lesionlens={token}"}).status_code == 200
    apart = guarded(password_hash=PASSWORD_HASH)
    assert Visitor(apart).get(headers={"Cookie": f"lesionlens={token}"}).status_code == 401


def test_without_a_usable_data_folder_one_can_still_log_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path / "file"))
    visitor = Visitor(guarded(tracker="auto", password_hash=PASSWORD_HASH))
    assert visitor.log_in().status_code == 204
    assert visitor.get().status_code == 200
    assert "sessions end when this process does" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", HTTPS])
def test_logging_out_ends_the_session_for_every_copy_of_its_cookie(app: FastAPI, url: str) -> None:
    visitor, other = Visitor(app, url), Visitor(app, url)
    token = cookie_of(visitor.log_in())
    other.log_in()
    answer = visitor.ask("DELETE", "/v1/session")
    assert answer.status_code == 204
    ended = cookie_of(answer)
    assert (ended.key, ended.value, ended["max-age"], ended["path"]) == (token.key, "", "0", "/")
    assert bool(ended["secure"]) is (url == HTTPS)
    assert not visitor.cookies
    assert visitor.get().status_code == 401
    assert Visitor(app, url).get(headers={"Cookie": f"{token.key}={token.value}"}).status_code == 401
    assert other.get().status_code == 200


def test_one_may_log_out_without_being_logged_in(app: FastAPI) -> None:
    for nobody in (Visitor(app), Visitor(guarded()), Visitor(guarded(api_keys=KEYS))):
        assert nobody.ask("DELETE", "/v1/session", headers={"Cookie": "lesionlens=x"}).status_code == 204


@pytest.mark.parametrize("guard", [{}, {"api_keys": KEYS}])
def test_without_a_password_there_is_nothing_to_log_in_with(guard: dict[str, str]) -> None:
    answer = Visitor(guarded(**guard)).log_in()
    assert answer.status_code == 403
    assert slug(answer) == "access-refused"
    assert "no password" in answer.json()["detail"]
    assert "set-cookie" not in answer.headers


def test_a_page_is_told_how_it_stands(app: FastAPI) -> None:
    visitor = Visitor(app)
    assert visitor.get("/test/access").json() == {"required": True, "granted": False, "password": True}
    visitor.log_in()
    assert visitor.get("/test/access").json() == {"required": True, "granted": True, "password": True}
    keyed = Visitor(guarded(api_keys=KEYS))
    assert keyed.get("/test/access").json() == {"required": True, "granted": False, "password": False}
