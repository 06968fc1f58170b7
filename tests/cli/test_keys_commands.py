"""`lesionlens keys`: what it prints, what it writes, and what it refuses; and a service that follows it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import Result

from lesionlens.api.access.key_file import KeyEntry, read_key_file
from lesionlens.api.access.keys import hash_key
from lesionlens.api.access.scopes import Scope
from serving import Program

Run = Callable[..., Result]
_PROGRAM = "from lesionlens.cli import app; app()"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "private" / "keys"
    monkeypatch.setenv("LESIONLENS_API_KEYS_FILE", str(path))
    return path


def only(path: Path) -> KeyEntry:
    [entry] = read_key_file(path)
    return entry


def test_a_key_is_printed_once_and_only_its_hash_is_kept(run: Run, file: Path) -> None:
    result = run("keys", "add", "backup", "--scope", "records:read", "--scope", "analyse", "--expires", "90d")
    assert result.exit_code == 0, result.output
    key = result.stdout.strip()
    assert key.startswith("lesionlens_")
    assert "shown only now" in result.stderr
    assert "analyse, records:read" in result.stderr
    assert key not in result.stderr
    entry = only(file)
    assert (entry.name, entry.sha256) == ("backup", hash_key(key))
    assert entry.scopes == (Scope.ANALYSE, Scope.READ)
    assert entry.expires == entry.created + timedelta(days=90)
    assert key not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["keys"]


def test_without_scopes_and_end_it_may_everything_for_ever(run: Run, file: Path) -> None:
    assert "everything" in run("keys", "add", "phone").stderr
    entry = only(file)
    assert (entry.scopes, entry.expires) == (None, None)


def test_the_file_can_be_named(run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "others"
    assert run("keys", "add", "phone", "--file", str(other)).exit_code == 0
    assert not file.exists()
    assert only(other).name == "phone"
    monkeypatch.delenv("LESIONLENS_API_KEYS_FILE")
    result = run("keys", "list")
    assert result.exit_code == 2
    assert "Set LESIONLENS_API_KEYS_FILE" in result.stderr


def test_a_link_stays_and_what_it_leads_to_is_changed(run: Run, file: Path, tmp_path: Path) -> None:
    real = tmp_path / "real"
    file.parent.mkdir()
    file.symlink_to(real)
    assert run("keys", "add", "phone").exit_code == 0
    assert file.is_symlink()
    assert only(real).name == "phone"


def test_what_root_changes_stays_the_services(run: Run, file: Path) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can give files away")
    run("keys", "add", "phone")
    os.chown(file, 12345, 12346)
    assert run("keys", "rotate", "phone").exit_code == 0
    after = file.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (12345, 12346, 0o600)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["my phone"], "accepted: 1–64 letters"),
        (["phone", "--scope", "root"], "there is no scope 'root'; accepted: analyse, records:read, records:write"),
        (["phone", "--expires", "soon"], "--expires is 'soon'; accepted: a length such as 90d"),
        (["phone", "--expires", "2020-01-31"], "which is over"),
        (["phone", "--expires", "7y"], "--expires is '7y'"),
    ],
)
def test_what_is_not_accepted_is_told(run: Run, file: Path, given: list[str], told: str) -> None:
    result = run("keys", "add", *given)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""
    assert not file.exists()


@pytest.mark.parametrize(
    ("given", "ends"),
    [
        ("2999-01-31", datetime(2999, 1, 31, tzinfo=UTC)),
        ("2999-01-31T12:00:00+01:00", datetime(2999, 1, 31, 11, tzinfo=UTC)),
    ],
)
def test_an_end_may_be_a_date(run: Run, file: Path, given: str, ends: datetime) -> None:
    assert run("keys", "add", "phone", "--expires", given).exit_code == 0
    assert only(file).expires == ends


def test_a_name_that_is_taken_is_refused_and_one_that_has_ended_is_free(run: Run, file: Path) -> None:
    run("keys", "add", "phone")
    result = run("keys", "add", "phone")
    assert result.exit_code == 2
    assert "`lesionlens keys rotate phone` replaces it" in result.stderr
    run("keys", "rotate", "phone", "--grace", "0d")
    run("keys", "revoke", "phone")
    assert run("keys", "add", "phone").exit_code == 0
    assert only(file).name == "phone"


def test_rotating_keeps_scopes_and_end_and_ends_the_old_key_later(run: Run, file: Path) -> None:
    old = run("keys", "add", "backup", "--scope", "export", "--expires", "30d").stdout.strip()
    before = only(file)
    new = run("keys", "rotate", "backup", "--grace", "12h").stdout.strip()
    assert new != old
    kept, made = read_key_file(file)
    assert (kept.sha256, made.sha256) == (hash_key(old), hash_key(new))
    assert kept.expires is not None
    assert timedelta(hours=12) <= kept.expires - before.created <= timedelta(hours=12, minutes=5)
    assert made.scopes == (Scope.EXPORT,)
    assert made.expires == before.expires


def test_grace_never_makes_a_key_last_longer(run: Run, file: Path) -> None:
    run("keys", "add", "backup", "--expires", "1h")
    before = only(file)
    run("keys", "rotate", "backup", "--grace", "7d")
    assert read_key_file(file)[0].expires == before.expires
    run("keys", "rotate", "backup", "--grace", "0m")
    now = datetime.now(UTC)
    assert [entry.expires is not None and entry.expires <= now for entry in read_key_file(file)] == [True, True, False]
    run("keys", "rotate", "backup")  # what has ended is tidied away
    assert len(read_key_file(file)) == 2


@pytest.mark.parametrize("command", ["rotate", "revoke"])
def test_a_name_that_is_not_known_is_told_with_those_that_are(run: Run, file: Path, command: str) -> None:
    assert "the file has none" in run("keys", command, "phone").stderr
    run("keys", "add", "backup")
    result = run("keys", command, "phone")
    assert result.exit_code == 2
    assert "there is no key 'phone'" in result.stderr
    assert "known: backup" in result.stderr
    assert only(file).name == "backup"


def test_a_wrong_grace_is_told(run: Run, file: Path) -> None:
    run("keys", "add", "phone")
    result = run("keys", "rotate", "phone", "--grace", "a week")
    assert result.exit_code == 2
    assert "--grace is 'a week'; accepted: a number with m, h, d or w" in result.stderr


def test_the_list_shows_no_hashes(run: Run, file: Path) -> None:
    run("keys", "add", "phone")
    run("keys", "add", "backup", "--scope", "export")
    run("keys", "rotate", "backup", "--grace", "0d")
    shown = run("keys", "list").stdout
    for word in ("phone", "everything", "backup", "export", "never", "(over)"):
        assert word in shown
    for entry in read_key_file(file):
        assert entry.sha256 not in shown


def test_a_damaged_file_is_left_as_it_is(run: Run, file: Path) -> None:
    file.parent.mkdir()
    file.write_text("# mine\nnonsense\n")
    for command in (["list"], ["add", "phone"], ["rotate", "phone"], ["revoke", "phone"]):
        result = run("keys", *command)
        assert result.exit_code == 2
        assert f"{file}, line 2: " in result.stderr.replace("\n", "")
    assert file.read_text() == "# mine\nnonsense\n"
    assert len(list(file.parent.iterdir())) == 1


def test_commands_at_once_lose_nothing(run: Run, file: Path) -> None:
    names = [f"program-{number}" for number in range(4)]
    programs = [subprocess.Popen([sys.executable, "-c", _PROGRAM, "keys", "add", name]) for name in names]
    assert [program.wait(240) for program in programs] == [0] * len(names)
    assert sorted(entry.name for entry in read_key_file(file)) == names


def test_a_command_waits_while_another_changes_the_file(run: Run, file: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="this system has no advisory locks")
    run("keys", "add", "first")
    folder = os.open(file.parent, os.O_RDONLY)
    second = threading.Thread(target=run, args=("keys", "add", "second"))
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        second.start()
        second.join(1)
        assert second.is_alive()
        assert only(file).name == "first"
    finally:
        os.close(folder)
    second.join(60)
    assert sorted(entry.name for entry in read_key_file(file)) == ["first", "second"]


def test_a_running_service_follows_without_a_restart(run: Run, file: Path, tmp_path: Path) -> None:
    first = run("keys", "add", "phone").stdout.strip()
    program = Program(
        LESIONLENS_DATA_DIR=str(tmp_path / "data"),
        LESIONLENS_API_KEYS_FILE=str(file),
        LESIONLENS_API_KEYS="",
        LESIONLENS_PASSWORD="",
        LESIONLENS_PASSWORD_HASH="",
    )
    try:
        with httpx.Client(base_url=program.url(), timeout=60) as client:

            def status(key: str) -> int:
                return client.get("/v1/people", headers={"Authorization": f"Bearer {key}"}).status_code

            assert (status(first), status("other")) == (200, 401)
            second = run("keys", "rotate", "phone", "--grace", "1h").stdout.strip()
            assert (status(first), status(second)) == (200, 200)  # at no moment neither
            third = run("keys", "rotate", "phone", "--grace", "0m").stdout.strip()
            assert (status(first), status(second), status(third)) == (401, 401, 200)
            run("keys", "revoke", "phone")
            assert status(third) == 401
            assert client.get("/v1/people").status_code == 401
    finally:
        program.end()
    printed = "".join(program.lines)
    assert f"protected by the API keys in {file}" in printed
    for key in (first, second, third):
        assert key not in printed
        assert hash_key(key) not in printed
