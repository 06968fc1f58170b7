"""The file of API keys: read again when it changes, and never a way in when it is damaged."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from visitors import KEY, KEYS, STRANGER, Visitor, guarded, slug

from lesionlens.api import create_app
from lesionlens.api.access import check_settings
from lesionlens.api.access.key_file import KeyEntry, format_entries, parse_entries, read_key_file
from lesionlens.api.access.key_ring import KeyRing
from lesionlens.api.access.keys import hash_key, new_key
from lesionlens.api.access.scopes import ALL_SCOPES, Scope
from lesionlens.errors import SettingsError
from lesionlens.settings import load_settings

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def entry(name: str, key: str, **fields: Any) -> KeyEntry:
    return KeyEntry(name=name, sha256=hash_key(key), created=NOW, **fields)


def line(**fields: Any) -> str:
    return json.dumps({"name": "phone", "sha256": "0" * 64, "created": "2026-06-01T12:00:00Z"} | fields)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def write(path: Path) -> Callable[..., None]:
    def write(*entries: KeyEntry) -> None:
        part = path.with_name("part")
        part.write_text(format_entries(entries))
        part.replace(path)  # as the command does

    return write


def test_what_is_written_is_read_again(path: Path) -> None:
    entries = (
        entry("phone", "a"),
        entry("backup", "b", scopes=(Scope.EXPORT, Scope.READ), expires=NOW + timedelta(days=7)),
        entry("backup", "c"),  # the same name again: a key and its successor
    )
    path.write_text(format_entries(entries))
    assert read_key_file(path) == entries
    assert [e.rights for e in entries] == [ALL_SCOPES, {Scope.EXPORT, Scope.READ}, ALL_SCOPES]
    assert "sha256" not in repr(entries)


def test_comments_and_empty_lines_are_left_out(path: Path) -> None:
    assert [e.name for e in parse_entries(f"# mine\n\n{line()}\n   \n  # yours\n", path)] == ["phone"]
    assert parse_entries("", path) == ()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("{", "invalid JSON: EOF while parsing an object at column 1; accepted"),
        ("phone=" + "0" * 64, "invalid JSON"),
        ("[]", "object"),
        (line(name="my phone"), "name: "),
        (line(name="phone\n"), "name: "),
        (line(sha256="lesionlens_hunter2"), "sha256: "),
        (line(sha256="F" * 64), "sha256: "),
        (line(scopes=["root"]), "scopes.0: "),
        (line(scopes=[]), "scopes: "),
        (line(scopes="export"), "scopes: "),
        (line(expires="2026-13-01T00:00:00Z"), "expires: "),
        (line(expires="2026-12-01T00:00:00"), "expires: "),  # in which time zone?
        (line(created=None), "created: "),
        (line(admin=True), "admin: "),
        (line(name="other"), "the same key twice"),
    ],
)
def test_a_damaged_line_is_named_and_not_shown(wrong: str, told: str, path: Path) -> None:
    path.write_text(f"# keys\n{line()}\n\n{wrong}\n")
    with pytest.raises(SettingsError) as caught:
        read_key_file(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, line 4: ")
    assert told in message
    assert "accepted: lines as `lesionlens keys` writes them" in message
    assert "hunter2" not in message
    assert "0" * 64 not in message


def test_files_that_cannot_be_read_are_told(path: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"keys is not there; `lesionlens keys add NAME --file "):
        read_key_file(path)
    path.write_bytes(f"{line()}\ncaf\xe9\n".encode("latin-1"))
    with pytest.raises(SettingsError, match="keys, line 2: not in UTF-8"):
        read_key_file(path)
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(SettingsError, match="larger than 1048576 bytes"):
        read_key_file(path)
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        read_key_file(tmp_path)


def test_a_damaged_file_stops_the_start(path: Path) -> None:
    for text, told in ((None, "is not there"), ("nonsense", "line 1")):
        if text is not None:
            path.write_text(text)
        for refuse in (check_settings, create_app):  # before the model is loaded, and before workers are started
            with pytest.raises(SettingsError, match=told):
                refuse(load_settings(api_keys_file=path))


def test_keys_of_the_file_and_of_the_environment_open(path: Path, write: Callable[..., None]) -> None:
    write(entry("backup", "b"))
    visitor = Visitor(guarded(api_keys=KEYS, api_keys_file=path), "https://derm.example", STRANGER)
    assert visitor.get(headers=bearer("b")).status_code == 200
    assert visitor.get(headers=bearer(KEY)).status_code == 200
    assert visitor.get(headers=bearer("c")).status_code == 401


def test_an_empty_file_opens_nothing_not_even_at_the_machine_itself(path: Path) -> None:
    path.write_text("")
    app = guarded(api_keys_file=path)
    assert Visitor(app).get().status_code == 401
    assert Visitor(app).get(headers=bearer("b")).status_code == 401


def test_what_is_added_counts_at_once_and_what_is_revoked_no_more(path: Path, write: Callable[..., None]) -> None:
    write(entry("backup", "b"))
    visitor = Visitor(guarded(api_keys_file=path))
    write(entry("backup", "b"), entry("phone", "p"))
    assert visitor.get(headers=bearer("p")).status_code == 200
    write(entry("phone", "p"))
    assert visitor.get(headers=bearer("b")).status_code == 401
    assert visitor.get(headers=bearer("p")).status_code == 200


def test_damage_while_it_runs_neither_opens_nor_closes(
    path: Path, write: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    write(entry("backup", "b"))
    visitor = Visitor(guarded(api_keys_file=path))

    def open_to(key: str) -> bool:
        return visitor.get(headers=bearer(key)).status_code == 200

    capsys.readouterr()
    path.write_text(format_entries([entry("new", "n")]) + "{damaged\n")
    assert (open_to("b"), open_to("n"), open_to("x")) == (True, False, False)
    log = capsys.readouterr().out
    assert log.count("the keys of before stay") == 1
    assert f"{path}, line 3: " in log
    path.unlink()
    assert (open_to("b"), open_to("n")) == (True, False)
    assert capsys.readouterr().out.count("is not there") == 1
    path.mkdir()
    assert open_to("b")
    assert "cannot be read" in capsys.readouterr().out
    path.rmdir()
    write(entry("new", "n"))
    assert (open_to("b"), open_to("n")) == (False, True)
    assert "API keys read again" in capsys.readouterr().out
    assert visitor.get().status_code == 401


def test_a_request_costs_one_look_at_the_file_and_no_reading(
    path: Path, write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(entry("backup", "b"))
    app = guarded(api_keys_file=path, rate_limit="5/minute")
    looks: list[Any] = []
    real = os.stat

    def watched(file: Any, *arguments: Any, **options: Any) -> os.stat_result:
        if file == path:
            looks.append(file)
        return real(file, *arguments, **options)

    monkeypatch.setattr(os, "stat", watched)
    monkeypatch.setattr("lesionlens.api.access.key_ring.read_key_file", pytest.fail)
    assert Visitor(app).get(headers=bearer("b")).status_code == 200
    assert len(looks) == 1
    assert Visitor(app).get().status_code == 401
    assert len(looks) == 1


def test_a_key_ends_when_its_time_is_over(path: Path, write: Callable[..., None]) -> None:
    moment = NOW
    write(entry("backup", "b", expires=NOW + timedelta(days=7)))
    ring = KeyRing((), path, clock=lambda: moment)
    moment = NOW + timedelta(days=7) - timedelta(seconds=1)
    good = ring.find("b")
    assert good is not None
    assert good.ended is None
    moment = NOW + timedelta(days=7)
    over = ring.find("b")
    assert over is not None
    assert over.ended == moment


def test_an_ended_key_is_told_as_such_and_to_its_holder_only(path: Path, write: Callable[..., None]) -> None:
    write(entry("backup", "b", expires=NOW), entry("phone", "p"))
    visitor = Visitor(guarded(api_keys_file=path))
    answer = visitor.get(headers=bearer("b"))
    assert answer.status_code == 401
    assert slug(answer) == "access-required"
    assert "The API key 'backup' ended at 2026-06-01 12:00 UTC" in answer.json()["detail"]
    assert answer.headers["www-authenticate"] == 'Bearer realm="LesionLens", error="invalid_token"'
    unknown = visitor.get(headers=bearer(new_key()))
    assert "ended" not in unknown.json()["detail"]
    assert unknown.headers["www-authenticate"] == 'Bearer realm="LesionLens", error="invalid_token"'
    assert visitor.get().headers["www-authenticate"] == 'Bearer realm="LesionLens"'


def test_the_narrower_of_two_entries_of_one_key_counts(path: Path, write: Callable[..., None]) -> None:
    write(entry("phone", KEY, scopes=(Scope.READ,)))
    visitor = Visitor(guarded(api_keys=KEYS, api_keys_file=path))
    assert visitor.get(headers=bearer(KEY)).status_code == 200
    assert visitor.post(headers=bearer(KEY)).status_code == 403


def test_no_hash_is_shown_where_keys_are_printed(path: Path, write: Callable[..., None]) -> None:
    write(entry("backup", "b"))
    ring = KeyRing((("phone", "1" * 64),), path)
    for shown in (repr(ring), repr(ring.find("b")), repr(read_key_file(path))):
        assert hash_key("b") not in shown
        assert "1" * 64 not in shown
