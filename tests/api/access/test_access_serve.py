"""`lesionlens serve` says where the records lie and who can read them, refuses to lay them open, and logs no secret."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from visitors import KEY, KEYS, PASSWORD, PASSWORD_HASH, Visitor, cookie_of, guarded

from lesionlens.cli.serve import _describe_tracker
from lesionlens.settings import load_settings
from serving import Program

EVERYWHERE = "0.0.0.0"
NO_PASSWORD = dict.fromkeys(("LESIONLENS_PASSWORD", "LESIONLENS_PASSWORD_HASH", "LESIONLENS_API_KEYS"), "")


def test_it_refuses_to_start_where_others_could_read_the_records() -> None:
    program = Program("--host", EVERYWHERE, **NO_PASSWORD, LESIONLENS_TRACKER="on")
    assert program.wait() == 1
    printed = "".join(program.lines)
    for word in ("LESIONLENS_TRACKER is on", EVERYWHERE, "LESIONLENS_PASSWORD_HASH", "LESIONLENS_API_KEYS"):
        assert word in printed
    assert "http://" not in printed
    assert "Traceback" not in printed


def test_left_to_itself_it_serves_there_without_the_tracker_and_says_so_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    program = Program("--host", EVERYWHERE, **NO_PASSWORD, LESIONLENS_DATA_DIR=str(data), LESIONLENS_LOG_FORMAT="json")
    port = program.url().rsplit(":", 1)[1]
    url = f"http://127.0.0.1:{port}"
    try:
        assert httpx.get(f"{url}/health", timeout=60).status_code == 200
        assert httpx.get(f"{url}/v1/people", timeout=60).status_code == 503
    finally:
        program.end()
    lines = [json.loads(line) for line in program.lines]
    [off] = [line for line in lines if line["event"] == "the tracker is off"]
    assert off["level"] == "warning"
    assert "LESIONLENS_PASSWORD_HASH" in off["reason"]
    assert not data.exists()


def test_with_a_password_it_keeps_records_there(tmp_path: Path) -> None:
    environment = NO_PASSWORD | {"LESIONLENS_PASSWORD_HASH": PASSWORD_HASH, "LESIONLENS_API_KEYS": KEYS}
    program = Program("--host", EVERYWHERE, **environment, LESIONLENS_TRACKER="on", LESIONLENS_DATA_DIR=str(tmp_path))
    port = program.url().rsplit(":", 1)[1]
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=60) as client:
            assert client.get("/v1/people").status_code == 401
            assert client.post("/v1/session", json={"password": PASSWORD}).status_code == 204
            assert client.get("/v1/people").status_code == 200
            state = client.get("/v1/tracker").json()
            assert state["enabled"] is True
            assert state["access"] == {"required": True, "granted": True, "password": True}
        assert httpx.get(f"{url}/v1/tracker", timeout=60).json()["counts"] is None
    finally:
        program.end()
    printed = "".join(program.lines)
    assert f"{tmp_path}, protected by a password and 1 API key" in printed
    for secret in (PASSWORD, PASSWORD_HASH, KEYS.split("=")[1], (tmp_path / "session.key").read_bytes().hex()):
        assert secret not in printed


def test_on_loopback_it_says_that_nobody_else_gets_in(tmp_path: Path) -> None:
    program = Program(**NO_PASSWORD, LESIONLENS_DATA_DIR=str(tmp_path))
    program.url()
    program.end()
    printed = "".join(program.lines)
    assert f"{tmp_path}, without a password, for this machine only" in printed
    assert not (tmp_path / "session.key").exists()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_log_tells_of_wrong_passwords_but_of_no_secret(log_format: str, tmp_path: Path) -> None:
    program = Program(
        LESIONLENS_DATA_DIR=str(tmp_path),
        LESIONLENS_LOG_FORMAT=log_format,
        LESIONLENS_LOG_LEVEL="debug",
        LESIONLENS_PASSWORD=PASSWORD,
        LESIONLENS_PASSWORD_HASH="",
        LESIONLENS_API_KEYS=KEYS,
        LESIONLENS_SECRET_KEY="s" * 40,
    )
    try:
        with httpx.Client(base_url=program.url(), timeout=60) as client:
            client.post("/v1/session", json={"password": "my other password"})
            client.post(
                "/v1/session", content=b'{"password": "half a pass', headers={"Content-Type": "application/json"}
            )
            token = client.post("/v1/session", json={"password": PASSWORD}).cookies["lesionlens"]
            assert client.get("/v1/people").status_code == 200
            assert client.delete("/v1/session").status_code == 204
            for key, status in ((KEY, 200), ("mistyped-key", 401)):
                answer = client.get("/v1/people", headers={"Authorization": f"Bearer {key}"})
                assert answer.status_code == status
    finally:
        program.end()
    log = "".join(program.lines)
    assert log.count("wrong password") == 1
    assert "127.0.0.1" in log
    for secret in (PASSWORD, "my other password", "half a pass", token, KEY, "mistyped-key", KEYS, "s" * 40):
        assert secret not in log


def test_no_part_of_a_running_app_shows_a_secret_where_it_is_printed() -> None:
    app = guarded(password=PASSWORD, api_keys=KEYS, secret_key="s" * 40)
    token = cookie_of(Visitor(app).log_in()).value
    state = app.state.lesionlens
    access = state.access
    shown = f"{state!r} {access!r} {vars(access)!r} {access.sessions!r} {access.password!r} {app.state.__dict__!r}"
    for secret in (PASSWORD, "$argon2id$", token, KEY, KEYS, "s" * 40):
        assert secret not in shown


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"LESIONLENS_DATA_DIR": "/srv/x"}, "/srv/x, without a password, for this machine only"),
        (
            {"LESIONLENS_DATA_DIR": "/srv/x", "LESIONLENS_DATABASE_URL": "postgresql://ada:hunter2@db/moles"},
            "/srv/x and postgresql+psycopg://ada:***@db/moles, without a password, for this machine only",
        ),
        ({"LESIONLENS_DATA_DIR": "relative/folder"}, "off. LESIONLENS_DATA_DIR has a value that is not accepted"),
        (
            {"LESIONLENS_DATA_DIR": "/srv/x", "LESIONLENS_DATABASE_URL": "mysql://ada:hunter2@db/moles"},
            "off. LESIONLENS_DATABASE_URL",
        ),
        ({"LESIONLENS_TRACKER": "off"}, "off. It was turned off: LESIONLENS_TRACKER is off."),
        (
            {"LESIONLENS_HOST": EVERYWHERE},
            "off. The service can be reached from other machines and has no password; set",
        ),
    ],
)
def test_the_line_says_where_the_records_lie_or_why_there_are_none(
    environment: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    line = _describe_tracker(load_settings())
    assert line.startswith(told)
    assert "hunter2" not in line
