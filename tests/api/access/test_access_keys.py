"""API keys at the door: from anywhere, without cookies, and never by accident."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from visitors import KEY, KEYS, LOCAL, PASSWORD_HASH, STRANGER, Visitor, guarded, slug

from lesionlens.api.access.keys import hash_key, new_key

BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def app() -> FastAPI:
    return guarded(api_keys=f"{KEYS} backup={hash_key('lesionlens_backup')}", password_hash=PASSWORD_HASH)


@pytest.mark.parametrize("client", [LOCAL, STRANGER])
def test_a_key_opens_from_anywhere_under_any_name(app: FastAPI, client: tuple[str, int]) -> None:
    for url in ("http://127.0.0.1:5000", "http://nas:5000", "https://derm.example"):
        visitor = Visitor(app, url, client)
        assert visitor.get(headers=BEARER).json() == "what is in the records"
        answer = visitor.post(headers=BEARER)
        assert answer.json() == "written"
        assert "set-cookie" not in answer.headers
        assert visitor.get().status_code == 401


def test_every_key_counts_and_the_scheme_in_any_case(app: FastAPI) -> None:
    for value in (f"bearer {KEY}", f"BEARER  {KEY} ", "Bearer lesionlens_backup"):
        assert Visitor(app).get(headers={"Authorization": value}).status_code == 200


@pytest.mark.parametrize(
    "value",
    [f"Bearer {new_key()}", "Bearer", "Bearer ", f"Bearer {KEYS.split('=')[1]}", "Bearer phone", f"Bearer {KEY}x"],
)
def test_a_wrong_key_is_told_as_such(app: FastAPI, value: str) -> None:
    answer = Visitor(app).get(headers={"Authorization": value})
    assert answer.status_code == 401
    assert slug(answer) == "access-required"
    assert "API key" in answer.json()["detail"]
    assert value.split()[-1] not in answer.json()["detail"].replace("Bearer KEY", "")


@pytest.mark.parametrize("value", [KEY, f"Basic {KEY}", f"Token {KEY}", "Basic dXNlcjpwYXNz", "", "\xff"])
def test_other_schemes_are_nobodys_key(app: FastAPI, value: str) -> None:
    assert Visitor(app).get(headers={"Authorization": value.encode("latin-1")}).status_code == 401


def test_a_key_in_the_address_or_in_a_cookie_does_not_count(app: FastAPI) -> None:
    # Addresses end up in logs, and browsers send cookies by themselves.
    assert Visitor(app).get(f"/test/records?api_key={KEY}&access_token={KEY}").status_code == 401
    assert Visitor(app).get(headers={"Cookie": f"lesionlens={KEY}; Authorization={KEY}"}).status_code == 401


def test_a_session_is_not_spoilt_by_the_header_of_a_proxy(app: FastAPI) -> None:
    visitor = Visitor(app)
    visitor.log_in()
    for value in ("Basic dXNlcjpwYXNz", "Bearer token-of-the-proxy"):
        assert visitor.get(headers={"Authorization": value}).status_code == 200


def test_a_key_is_no_use_where_none_is_set() -> None:
    assert Visitor(guarded(password_hash=PASSWORD_HASH)).get(headers=BEARER).status_code == 401
    assert Visitor(guarded(), client=STRANGER).get(headers=BEARER).status_code == 403


def test_with_keys_only_even_the_machine_itself_needs_one() -> None:
    app = guarded(api_keys=KEYS)
    answer = Visitor(app).get()
    assert answer.status_code == 401
    assert "Authorization: Bearer KEY" in answer.json()["detail"]
    assert "log in" not in answer.json()["detail"]
    assert Visitor(app).get(headers=BEARER).status_code == 200
