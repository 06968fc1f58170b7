from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from places import photo
from sqlalchemy import event

from lesionlens.errors import DamagedPhotoError, StoreError
from lesionlens.tracker import Lesion, Tracker
from lesionlens.tracker.photos import PhotoFiles


@pytest.fixture
def photos(tmp_path: Path) -> PhotoFiles:
    return PhotoFiles(tmp_path / "photos")


def test_bytes_lie_under_their_hash_in_two_levels_of_folders(photos: PhotoFiles) -> None:
    sha256 = photos.keep(b"anything")
    assert sha256 == hashlib.sha256(b"anything").hexdigest()
    assert photos.path(sha256) == photos.folder / sha256[:2] / sha256[2:4] / sha256
    assert photos.path(sha256).read_bytes() == b"anything"
    assert photos.read(sha256) == b"anything"
    assert list(photos.hashes()) == [sha256]


def test_nobody_else_may_read_them(photos: PhotoFiles) -> None:
    path = photos.path(photos.keep(b"anything"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent, photos.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_same_bytes_are_stored_once(photos: PhotoFiles) -> None:
    path = photos.path(photos.keep(b"anything"))
    before = path.stat()
    photos.keep(b"anything")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert list(photos.files()) == [path]


@pytest.mark.parametrize("damage", [b"", b"anythinG", b"anything and more"])
def test_damage_is_noticed_and_mended_by_the_next_copy(photos: PhotoFiles, damage: bytes) -> None:
    sha256 = photos.keep(b"anything")
    photos.path(sha256).write_bytes(damage)
    assert not photos.is_whole(sha256)
    with pytest.raises(DamagedPhotoError, match=r"damaged.*lesionlens doctor"):
        photos.read(sha256)
    assert photos.read(sha256, verify=False) == damage
    photos.keep(b"anything")
    assert photos.read(sha256) == b"anything"


def test_a_missing_file_is_named(photos: PhotoFiles) -> None:
    sha256 = photos.keep(b"anything")
    photos.remove(sha256)
    photos.remove(sha256)
    assert not photos.exists(sha256)
    assert not photos.is_whole(sha256)
    with pytest.raises(DamagedPhotoError, match=f"{sha256} is missing"):
        photos.read(sha256)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_hash_names_a_photo(photos: PhotoFiles, name: str) -> None:
    with pytest.raises(ValueError, match="no SHA-256"):
        photos.read(name)


def test_a_folder_that_cannot_be_written_is_named_and_nothing_is_left(photos: PhotoFiles) -> None:
    sha256 = hashlib.sha256(b"anything").hexdigest()
    photos.folder.mkdir()
    (photos.folder / sha256[:2]).write_text("a file where a folder belongs")
    with pytest.raises(StoreError, match=f"could not be written to .*{sha256}"):
        photos.keep(b"anything")
    assert list(photos.temporary_files()) == []
    photos.path(photos.keep(b"other")).unlink()
    photos.path(hashlib.sha256(b"other").hexdigest()).mkdir()
    with pytest.raises(StoreError, match="could not be written"):
        photos.keep(b"other")
    with pytest.raises(StoreError, match="cannot be read"):
        photos.read(hashlib.sha256(b"other").hexdigest())
    assert list(photos.temporary_files()) == []


def test_threads_may_keep_the_same_photo_at_once(photos: PhotoFiles) -> None:
    data = os.urandom(200_000)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: photos.keep(data), range(32)))) == 1
    assert photos.read(hashlib.sha256(data).hexdigest()) == data
    assert list(photos.temporary_files()) == []


def test_file_name_and_folders_are_flushed_before_the_record_is_committed(
    tracker: Tracker, lesion: Lesion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test cuts the power; this one watches that what survives a power cut is asked for in the right order."""
    happened: list[tuple[str, str]] = []
    flush, rename = os.fsync, Path.replace

    def watched_flush(descriptor: int) -> None:
        flush(descriptor)
        happened.append(("flush", str(Path(f"/proc/self/fd/{descriptor}").readlink())))

    def watched_rename(path: Path, target: Path) -> Path:
        happened.append(("rename", str(target)))
        return rename(path, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not say which file is flushed")
    monkeypatch.setattr(os, "fsync", watched_flush)
    monkeypatch.setattr(Path, "replace", watched_rename)
    engine = tracker._database.engine

    def committed(_: Any) -> None:
        happened.append(("commit", ""))

    event.listen(engine, "commit", committed)
    visit = tracker.visits.add(lesion.id, photo(5))
    event.remove(engine, "commit", committed)

    path = tracker.photos.path(visit.photo.sha256)
    steps = [step for step in happened if step[0] != "flush" or str(tracker.photos.folder) in step[1]]
    renamed, last = steps.index(("rename", str(path))), len(steps) - 1
    assert steps[last] == ("commit", "")
    [flushed] = [i for i, (what, name) in enumerate(steps) if what == "flush" and path.name in name and i < renamed]
    assert flushed < renamed
    for folder in (path.parent, path.parent.parent, tracker.photos.folder):
        assert ("flush", str(folder)) in steps[renamed:last]
