"""All checks of the store, in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from lesionlens.errors import StoreError
from lesionlens.tracker.database.address import database_url
from lesionlens.tracker.database.engine import sqlite_file
from lesionlens.tracker.database.sessions import Database
from lesionlens.tracker.doctor.database import examine_database
from lesionlens.tracker.doctor.findings import Finding, Report
from lesionlens.tracker.doctor.leftovers import ORPHAN_FOLDER, examine_orphans, examine_temporary_files
from lesionlens.tracker.doctor.photos import examine_photos, examine_removals
from lesionlens.tracker.photos import PhotoFiles
from lesionlens.tracker.tracker import PHOTO_FOLDER

__all__ = ["examine"]


def examine(
    data_dir: Path,
    url: str | None = None,
    *,
    repair: bool = False,
    photos_from: Path | None = None,
    now: datetime | None = None,
) -> Report:
    """Check the database and every photo; may run while the service runs.

    No photo that a record names is ever removed, whatever `repair` says.

    Args:
        data_dir: The data folder.
        url: The database, if it is not in the data folder.
        repair: Whether to repair what can be: bring tables up to date, put lost photos back from files that hold the
            same, set aside files that no record names, remove what erasing or writing left behind.
        photos_from: A folder, such as a backup, in which lost and damaged photos are looked for too.
        now: With a UTC offset; None for the present.

    Raises:
        SettingsError: The address of the database is not accepted.
    """
    return Report(tuple(_examine(data_dir, url, repair, photos_from, now or datetime.now(UTC))))


def _examine(
    data_dir: Path, url: str | None, repair: bool, photos_from: Path | None, now: datetime
) -> Iterator[Finding]:
    address = database_url(data_dir, url)
    photos = PhotoFiles(data_dir / PHOTO_FOLDER)
    file = sqlite_file(address)
    if file is not None and not file.exists():
        yield _nothing_there(file, photos)
        return
    try:
        database = Database(address)
    except StoreError as error:
        yield Finding("database", "wrong", str(error))
        return
    try:
        trusted = True
        for finding in examine_database(database, address, repair=repair):
            trusted = trusted and finding.state != "wrong"
            yield finding
        if trusted:
            yield from _examine_photos(database, photos, data_dir, repair, photos_from, now)
        else:
            yield Finding("photos", "note", "not examined, since the database cannot be relied on")
    except (StoreError, OSError) as error:
        yield Finding("examination", "wrong", f"could not be finished: {error}")
    finally:
        database.close()


def _nothing_there(file: Path, photos: PhotoFiles) -> Finding:
    number = sum(1 for _ in photos.hashes())
    if number:
        return Finding(
            "database", "wrong", f"{file} is missing, and {number} photos are there; put back a backup of the database"
        )
    return Finding("database", "note", f"nothing has been recorded yet in {file}")


def _examine_photos(
    database: Database, photos: PhotoFiles, data_dir: Path, repair: bool, photos_from: Path | None, now: datetime
) -> Iterator[Finding]:
    orphans = data_dir / ORPHAN_FOLDER
    yield examine_removals(database, photos, repair=repair)
    # Lost photos are looked for among the leftovers, so the leftovers come after.
    elsewhere = [orphans] if photos_from is None else [orphans, photos_from]
    yield examine_photos(database, photos, repair=repair, elsewhere=elsewhere)
    yield from examine_orphans(database, photos, orphans, repair=repair, now=now)
    yield examine_temporary_files(photos, repair=repair, now=now)
