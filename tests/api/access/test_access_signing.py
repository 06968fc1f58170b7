"""The key that signs sessions: made once, whole, and for nobody else's eyes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lesionlens.api.access.signing import KEY_FILE, load_signing_key
from lesionlens.errors import StoreError
from lesionlens.settings import load_settings

_LOAD = """
import sys
from lesionlens.api.access.signing import load_signing_key
from lesionlens.settings import load_settings
settings = load_settings()
print("ready", flush=True)
sys.stdin.readline()
print(load_signing_key(settings).hex())
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that is not there yet."""
    path = tmp_path / "new" / "data"
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(path))
    return path


def test_it_is_made_once_and_kept(folder: Path) -> None:
    key = load_signing_key(load_settings())
    assert len(key) == 32
    assert key != bytes(32)
    assert load_signing_key(load_settings()) == key
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert (folder / KEY_FILE).read_bytes() == key
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_loose_mask_does_not_open_it(folder: Path) -> None:
    mask = os.umask(0)
    try:
        load_signing_key(load_settings())
    finally:
        os.umask(mask)
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_agree_on_one(folder: Path) -> None:
    racers = [
        subprocess.Popen([sys.executable, "-c", _LOAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    keys = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0] * len(racers)
    assert keys == {(folder / KEY_FILE).read_bytes().hex()}
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]


def test_a_key_in_the_settings_counts_and_nothing_is_written(folder: Path) -> None:
    assert load_signing_key(load_settings(secret_key="k" * 40)) == b"k" * 40
    assert not folder.exists()


def test_without_a_tracker_nothing_is_written_either(folder: Path) -> None:
    settings = load_settings(tracker="off")
    assert load_signing_key(settings) != load_signing_key(settings)
    assert not folder.exists()


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_damaged_file_is_told_and_left_alone(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / KEY_FILE).write_bytes(content)
    with pytest.raises(StoreError, match=r"session\.key does not hold a key of 32 bytes; remove it"):
        load_signing_key(load_settings())
    assert (folder / KEY_FILE).read_bytes() == content


def test_a_file_that_others_can_read_is_closed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = load_signing_key(load_settings())
    (folder / KEY_FILE).chmod(0o644)
    assert load_signing_key(load_settings()) == key
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    printed = capsys.readouterr().out
    assert "others could read the key" in printed
    assert key.hex() not in printed


def test_a_folder_that_cannot_be_used_is_told(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_bytes(b"a file where the folder should be")
    with pytest.raises(StoreError, match="LESIONLENS_SECRET_KEY"):
        load_signing_key(load_settings())
