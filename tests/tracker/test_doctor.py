from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from places import Place, analysis, photo
from sqlalchemy import text

from lesionlens.errors import StoreError
from lesionlens.tracker import Lesion, Tracker
from lesionlens.tracker.database.address import FILE_NAME
from lesionlens.tracker.database.migrate import HEAD
from lesionlens.tracker.doctor import Finding, Report, examine


def states(report: Report) -> dict[str, str]:
    return {finding.check: finding.state for finding in report.findings}


def finding(report: Report, check: str) -> Finding:
    [found] = [f for f in report.findings if f.check == check]
    return found


def make_old(path: Path, hours: float = 2) -> None:
    then = (datetime.now(UTC) - timedelta(hours=hours)).timestamp()
    os.utime(path, (then, then))


def test_a_store_in_use_is_healthy(tracker: Tracker, lesion: Lesion, place: Place) -> None:
    for seed in range(3):
        tracker.visits.add(lesion.id, photo(seed), analysis=analysis())
    report = examine(place.data_dir, place.url)
    assert report.healthy
    assert set(states(report).values()) == {"fine"}
    assert finding(report, "photos").message == "3 photos, all whole"


def test_where_nothing_was_recorded_nothing_is_made(tmp_path: Path) -> None:
    report = examine(tmp_path / "moles")
    assert report.healthy
    assert states(report) == {"database": "note"}
    assert not (tmp_path / "moles").exists()


def test_photos_without_their_database_are_a_loss(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        tracker.visits.add(lesion.id, photo())
    for path in tmp_path.glob(f"{FILE_NAME}*"):
        path.unlink()
    report = examine(tmp_path, repair=True)
    assert not report.healthy
    assert "is missing, and 1 photos are there" in finding(report, "database").message
    assert len(list((tmp_path / "photos").rglob("*"))) > 1


@pytest.mark.parametrize("harm", ["missing", "damaged", "longer"])
def test_a_lost_photo_is_named_and_stays_lost_without_a_copy(
    tracker: Tracker, lesion: Lesion, place: Place, harm: str
) -> None:
    visit = tracker.visits.add(lesion.id, photo(0))
    tracker.visits.add(lesion.id, photo(1))
    path = tracker.photos.path(visit.photo.sha256)
    damaged = {"missing": b"", "damaged": photo(0)[:-1] + b"x", "longer": photo(0) + b"x"}[harm]
    path.write_bytes(damaged)
    if harm == "missing":
        path.unlink()
    make = path.read_bytes() if path.exists() else None
    for repair in (False, True):
        report = examine(place.data_dir, place.url, repair=repair)
        assert not report.healthy
        found = finding(report, "photos")
        assert found.state == "wrong"
        assert "1 of 2 photos lost or damaged" in found.message
        [detail] = found.details
        assert visit.photo.sha256 in detail
        assert visit.id in detail
        assert ("missing" if harm == "missing" else "not those that were stored") in detail
        assert (path.read_bytes() if path.exists() else None) == make


def test_a_lost_photo_is_put_back_from_a_backup(tracker: Tracker, lesion: Lesion, place: Place, tmp_path: Path) -> None:
    visit = tracker.visits.add(lesion.id, photo(0))
    other = tracker.visits.add(lesion.id, photo(1))
    tracker.photos.path(visit.photo.sha256).unlink()
    tracker.photos.path(other.photo.sha256).write_bytes(b"damaged")
    backup = tmp_path / "backup" / "deep"
    backup.mkdir(parents=True)
    (backup / "IMG_0001.jpg").write_bytes(photo(0))
    half = examine(place.data_dir, place.url, repair=True, photos_from=tmp_path / "backup")
    assert not half.healthy
    assert finding(half, "photos").message.startswith("1 put back; 1 of 2 photos lost or damaged")
    (backup / "IMG_0002.jpg").write_bytes(photo(1))
    assert finding(examine(place.data_dir, place.url, repair=True), "photos").state == "wrong"
    report = examine(place.data_dir, place.url, repair=True, photos_from=tmp_path / "backup")
    assert report.healthy
    assert finding(report, "photos").state == "repaired"
    assert tracker.visits.photo(visit.id) == photo(0)
    assert tracker.visits.photo(other.id) == photo(1)
    assert set(states(examine(place.data_dir, place.url)).values()) == {"fine"}


def test_a_misplaced_photo_is_put_back(tracker: Tracker, lesion: Lesion, place: Place) -> None:
    visit = tracker.visits.add(lesion.id, photo())
    path = tracker.photos.path(visit.photo.sha256)
    moved = path.rename(tracker.photos.folder / "moved by hand.jpg")
    make_old(moved)
    report = examine(place.data_dir, place.url)
    assert states(report)["photos"] == states(report)["orphans"] == "wrong"
    report = examine(place.data_dir, place.url, repair=True)
    assert report.healthy
    assert tracker.visits.photo(visit.id) == photo()
    assert not moved.exists()


def test_orphans_are_set_aside_and_come_back_when_a_record_needs_them(
    tracker: Tracker, lesion: Lesion, place: Place
) -> None:
    orphan, young = (tracker.photos.path(tracker.photos.keep(photo(seed))) for seed in (1, 2))
    make_old(orphan)
    make_old(young, hours=0.9)
    kept = tracker.visits.add(lesion.id, photo(0))
    make_old(tracker.photos.path(kept.photo.sha256), hours=10_000)
    report = examine(place.data_dir, place.url)
    assert not report.healthy
    assert finding(report, "orphans").details == (str(orphan),)
    assert "1 younger than an hour, left alone" in finding(report, "orphans").message
    assert orphan.exists()
    report = examine(place.data_dir, place.url, repair=True)
    assert report.healthy
    assert states(report) | {"orphans": "repaired", "set aside": "note"} == states(report)
    assert not orphan.exists()
    assert young.exists()
    assert (place.data_dir / "orphans" / orphan.name).read_bytes() == photo(1)
    assert tracker.visits.photo(kept.id) == photo(0)
    # The database of a backup that knows the photo is put back: here, a record that names it.
    visit = tracker.visits.add(lesion.id, photo(1))
    tracker.photos.path(visit.photo.sha256).unlink()
    assert examine(place.data_dir, place.url, repair=True).healthy
    assert tracker.visits.photo(visit.id) == photo(1)


def test_setting_aside_twice_keeps_both(tracker: Tracker, place: Place) -> None:
    for content in (b"one", b"two"):
        (tracker.photos.folder / "notes.txt").write_bytes(content)
        make_old(tracker.photos.folder / "notes.txt")
        assert examine(place.data_dir, place.url, repair=True).healthy
    assert {path.read_bytes() for path in (place.data_dir / "orphans").iterdir()} == {b"one", b"two"}


def test_orphans_that_cannot_be_set_aside_stay_and_are_told(tracker: Tracker, place: Place) -> None:
    orphan = tracker.photos.path(tracker.photos.keep(photo()))
    make_old(orphan)
    (place.data_dir / "orphans").write_text("a file where a folder belongs")
    report = examine(place.data_dir, place.url, repair=True)
    assert not report.healthy
    assert "could not be set aside" in finding(report, "orphans").message
    assert orphan.read_bytes() == photo()


def test_orphans_alone_that_are_young_are_only_noted(tracker: Tracker, place: Place) -> None:
    orphan = tracker.photos.path(tracker.photos.keep(photo()))
    report = examine(place.data_dir, place.url, repair=True)
    assert report.healthy
    assert states(report)["orphans"] == "note"
    assert orphan.exists()


def test_old_temporary_files_are_removed_and_young_ones_left(tracker: Tracker, place: Place) -> None:
    folder = tracker.photos.folder / "tmp"
    folder.mkdir()
    old, young = folder / "old", folder / "young"
    for path in (old, young):
        path.write_bytes(b"half a pho")
    make_old(old)
    report = examine(place.data_dir, place.url)
    assert not report.healthy
    assert finding(report, "temporary files").details == (str(old),)
    assert examine(place.data_dir, place.url, repair=True).healthy
    assert (old.exists(), young.exists()) == (False, True)


def test_photos_of_erased_visits_are_removed(tracker: Tracker, lesion: Lesion, place: Place) -> None:
    visit = tracker.visits.add(lesion.id, photo())
    path = tracker.photos.path(visit.photo.sha256)
    path.rename(path.with_suffix(".aside"))
    path.mkdir()
    with pytest.raises(StoreError):
        tracker.visits.erase(visit.id)
    assert finding(examine(place.data_dir, place.url, repair=True), "erased photos").state == "wrong"
    path.rmdir()
    path.with_suffix(".aside").rename(path)
    report = examine(place.data_dir, place.url)
    assert not report.healthy
    assert finding(report, "erased photos").details == (visit.photo.sha256,)
    report = examine(place.data_dir, place.url, repair=True)
    assert finding(report, "erased photos").message == "1 of 1 photo of erased visits removed"
    assert not path.exists()
    assert set(states(examine(place.data_dir, place.url)).values()) == {"fine"}


def test_a_photo_row_without_visits_is_removed(tracker: Tracker, lesion: Lesion, place: Place) -> None:
    visit = tracker.visits.add(lesion.id, photo())
    with tracker._database.write() as session:
        session.execute(text("DELETE FROM visits"))
    assert not examine(place.data_dir, place.url).healthy
    assert examine(place.data_dir, place.url, repair=True).healthy
    assert not tracker.photos.exists(visit.photo.sha256)
    assert tracker.counts().photos == 0


def test_tables_that_are_behind_are_brought_up_to_date(place: Place, tmp_path: Path) -> None:
    if place.url is None:
        place.data_dir.mkdir(parents=True)
        (place.data_dir / FILE_NAME).touch()
    report = examine(place.data_dir, place.url)
    assert not report.healthy
    assert finding(report, "tables").message.startswith(f"revision none is behind {HEAD}")
    assert states(report)["photos"] == "note"
    report = examine(place.data_dir, place.url, repair=True)
    assert report.healthy
    assert finding(report, "tables").state == "repaired"


def test_tables_of_a_newer_program_are_left_alone(tracker: Tracker, place: Place) -> None:
    with tracker._database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    report = examine(place.data_dir, place.url, repair=True)
    assert "newer LesionLens" in finding(report, "tables").message
    assert not report.healthy


def test_a_damaged_database_stops_the_examination(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        for seed in range(8):
            tracker.visits.add(lesion.id, photo(seed), analysis=analysis())
        orphan = tracker.photos.path(tracker.photos.keep(photo(100)))
        make_old(orphan)
        tracker._database.forget_erased()
    file = tmp_path / FILE_NAME
    data = bytearray(file.read_bytes())
    for page in range(2 * 4096, len(data), 4096):  # the first holds the schema
        data[page : page + 200] = b"\xff" * 200
    file.write_bytes(data)
    report = examine(tmp_path, repair=True)
    assert not report.healthy
    assert finding(report, "database").state == "wrong"
    assert "backup" in finding(report, "database").message
    assert orphan.exists()


def test_a_data_folder_that_is_none_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    report = examine(tmp_path / "data", f"sqlite:///{tmp_path}/file/moles.db")
    assert states(report) == {"database": "note"}
    with Tracker(tmp_path / "moles") as tracker:
        tracker.photos.folder.rmdir()
        tracker.photos.folder.write_text("")
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        with pytest.raises(StoreError, match="could not be written"):
            tracker.visits.add(lesion.id, photo())
        assert tracker.counts().visits == 0


def test_rows_that_name_missing_ones_are_found(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        person = tracker.people.create("Ada")
        tracker.lesions.create(person.id, "back", 0.5, 0.5)
    import sqlite3

    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("DELETE FROM people")  # SQLite checks references only where it is told to
    connection.commit()
    connection.close()
    found = finding(examine(tmp_path), "database")
    assert (found.state, found.details) == ("wrong", ("a row of lesions names one of people that is not there",))


def test_a_server_that_does_not_answer_is_a_finding(tmp_path: Path) -> None:
    report = examine(tmp_path, "postgresql://ada:secret@127.0.0.1:1/moles?connect_timeout=2")
    assert not report.healthy
    assert "failed" in finding(report, "database").message
    assert "secret" not in str(report)
