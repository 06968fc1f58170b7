"""The file of the audit log: private, appended to by whole lines, and found again after log rotation."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from lesionlens.api.access import check_settings
from lesionlens.api.access.audit_file import AuditFile
from lesionlens.api.access.touched import Touched, collecting, touch
from lesionlens.errors import SettingsError
from lesionlens.settings import load_settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def test_a_loose_mask_does_not_open_it(path: Path) -> None:
    mask = os.umask(0)
    try:
        AuditFile(path).close()
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_are_appended_to_what_is_there(path: Path) -> None:
    for line in ("one", "two"):
        file = AuditFile(path)
        file.append(line)
        file.close()
    assert path.read_text() == "one\ntwo\n"


@pytest.mark.parametrize("rotate", ["rename", "unlink", "replace"])
def test_after_rotation_a_new_file_is_written(path: Path, rotate: str) -> None:
    file = AuditFile(path)
    file.append("before")
    if rotate == "rename":
        path.rename(path.with_suffix(".1"))
    elif rotate == "unlink":
        path.unlink()
    else:
        path.with_suffix(".new").write_text("")
        path.with_suffix(".new").replace(path)
    file.append("after")
    assert path.read_text() == "after\n"
    file.close()
    file.append("once more")  # a closed one is opened again
    assert path.read_text() == "after\nonce more\n"
    file.close()


def test_a_truncated_file_is_written_from_its_begin(path: Path) -> None:
    file = AuditFile(path)
    file.append("before")
    path.write_text("")  # logrotate's copytruncate
    file.append("after")
    assert path.read_text() == "after\n"
    file.close()


def test_lines_of_several_writers_do_not_mix(path: Path) -> None:
    def write(letter: str) -> None:
        file = AuditFile(path)
        for _ in range(50):
            file.append(letter * 20_000)
        file.close()

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = path.read_text().splitlines()
    assert sorted(set(lines)) == [letter * 20_000 for letter in "abc"]
    assert len(lines) == 150


def test_a_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    for wrong in (tmp_path / "missing" / "audit.jsonl", tmp_path):
        with pytest.raises(SettingsError, match=r"LESIONLENS_AUDIT_LOG is '.*cannot be written: .*accepted: a file in"):
            check_settings(load_settings(tracker="off", audit_log=wrong))


def test_the_home_folder_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load_settings(audit_log="~/audit.jsonl", api_keys_file="~/keys")
    assert (settings.audit_log, settings.api_keys_file) == (tmp_path / "audit.jsonl", tmp_path / "keys")


def test_only_ids_are_collected_each_once_and_only_while_somebody_does() -> None:
    identifier = "0197f000-0000-7000-8000-000000000000"
    with collecting() as touched:
        for value in (identifier, identifier, "Ada", "", identifier.upper()):
            touched.add("people", value)
        assert touch(["no record"]) == ["no record"]
    assert touched.as_dict() == {"people": [identifier]}
    assert touch(None) is None
    assert Touched().as_dict() == {}
