"""What is sent to log in: read within bounds, and looked at only so often."""

from __future__ import annotations

import json
import socket

import httpx
import pytest
from fastapi import FastAPI
from visitors import KEY, KEYS, LOCAL, PASSWORD, PASSWORD_HASH, STRANGER, Visitor, add_records, guarded, slug

from lesionlens import Classifier
from lesionlens.access_settings import LONGEST_PASSWORD
from lesionlens.api.access.attempts import OVERALL, PER_ADDRESS
from serving import TIMEOUT, running

JSON = {"Content-Type": "application/json"}
RIGHT = json.dumps({"password": PASSWORD}).encode()


@pytest.fixture
def app() -> FastAPI:
    return guarded(password_hash=PASSWORD_HASH, api_keys=KEYS)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", JSON),
        (b"{", JSON),
        (b"[" * 15_000, JSON),
        (b"\xff\xfe", JSON),
        (b"null", JSON),
        (b"[]", JSON),
        (b'"correct horse battery"', JSON),
        (b"{}", JSON),
        (b'{"password": null}', JSON),
        (b'{"password": 12345678}', JSON),
        (b'{"password": ["correct horse battery"]}', JSON),
        (b'{"Password": "correct horse battery"}', JSON),
        (b" " * 16_385 + RIGHT, JSON),
        (RIGHT, {}),
        (RIGHT, {"Content-Type": "text/plain"}),
        (RIGHT, {"Content-Type": "text/plain; application/json"}),
        (b"password=correct+horse+battery", {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
def test_what_is_no_password_in_json_is_told(app: FastAPI, body: bytes, headers: dict[str, str]) -> None:
    answer = Visitor(app).post("/v1/session", content=body, headers=headers)
    assert answer.status_code == 400
    assert slug(answer) == "bad-request"
    assert '{"password": "…"}' in answer.json()["detail"]
    assert "horse" not in answer.text


@pytest.mark.parametrize("password", ["", "x" * (LONGEST_PASSWORD + 1)])
def test_the_length_of_a_password_is_bounded(app: FastAPI, password: str) -> None:
    answer = Visitor(app).log_in(password)
    assert answer.status_code == 422
    assert slug(answer) == "invalid-parameter"
    assert "1 to 1024 characters" in answer.json()["detail"]


def test_json_may_be_spelt_in_any_way(app: FastAPI) -> None:
    spelt = '{"x": 1, "password": "' + "".join(f"\\u{ord(letter):04x}" for letter in PASSWORD) + '"}'
    header = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert Visitor(app).post("/v1/session", content=spelt, headers=header).status_code == 204
    half = Visitor(app).post("/v1/session", content=b'{"password": "\\ud83d"}', headers=JSON)
    assert half.status_code == 401


def test_a_body_without_end_and_one_that_never_comes(classifier: Classifier) -> None:
    with running(
        classifier, extend=add_records, tracker="off", password_hash=PASSWORD_HASH, upload_timeout=0.3
    ) as server:
        address = ("127.0.0.1", httpx.URL(server.url).port or 0)
        head = "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
        with socket.create_connection(address, TIMEOUT) as endless:
            endless.sendall(head.format(10**10).encode() + b" " * 20_000)
            assert endless.recv(4096).startswith(b"HTTP/1.1 400")  # long before the rest could have come
        with socket.create_connection(address, TIMEOUT) as halting:
            halting.sendall(head.format(40).encode() + b'{"pass')
            assert halting.recv(4096).startswith(b"HTTP/1.1 408")


def test_after_several_wrong_passwords_none_is_looked_at(app: FastAPI) -> None:
    inside = Visitor(app, client=STRANGER)
    inside.log_in()
    guesser = Visitor(app, client=STRANGER)
    for number in range(PER_ADDRESS.burst):
        answer = guesser.log_in(f"guess number {number}")
        assert answer.status_code == 401
        assert slug(answer) == "access-required"
        assert "set-cookie" not in answer.headers
    refused = guesser.log_in()  # even the right one, or the answer would tell
    assert refused.status_code == 429
    assert slug(refused) == "too-many-attempts"
    wait = int(refused.headers["retry-after"])
    assert 1 <= wait <= PER_ADDRESS.seconds
    assert f"{wait} second" in refused.json()["detail"]
    assert guesser.get().status_code == 401
    # Others, those who are in, and programs with a key go on.
    assert inside.get().status_code == 200
    assert Visitor(app, client=STRANGER).get(headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
    assert Visitor(app, client=LOCAL).log_in().status_code == 204


def test_many_addresses_together_are_limited_too(app: FastAPI) -> None:
    guessers = [Visitor(app, client=(f"198.51.100.{number}", 1)) for number in range(OVERALL.burst + 5)]
    statuses = [guesser.log_in("wrong password").status_code for guesser in guessers]
    assert statuses[: OVERALL.burst] == [401] * OVERALL.burst
    assert 429 in statuses[OVERALL.burst :]
    last = Visitor(app, client=("192.0.2.1", 1))
    while (answer := last.log_in("wrong password")).status_code == 401:  # a token may have come back in between
        continue
    assert int(answer.headers["retry-after"]) <= OVERALL.seconds


def test_logging_in_again_and_again_is_no_guessing(app: FastAPI) -> None:
    for _ in range(3 * PER_ADDRESS.burst):
        assert Visitor(app, client=STRANGER).log_in().status_code == 204
