"""Whatever file a user brings: an export of LesionLens, or the storage of the SkinTracker app."""

from __future__ import annotations

import os
from typing import IO, Final

from lesionlens.errors import ExchangeFileError
from lesionlens.tracker.exchange.archive import ExportArchive
from lesionlens.tracker.exchange.archive_reader import ArchiveReader
from lesionlens.tracker.exchange.importing import Progress, import_items
from lesionlens.tracker.exchange.outcome import Imported
from lesionlens.tracker.exchange.skintracker import JSON_LIMIT, SkinTrackerStorage
from lesionlens.tracker.tracker import Tracker

__all__ = ["import_file"]

_ZIP_STARTS: Final = (b"PK\x03\x04", b"PK\x05\x06")


def import_file(
    tracker: Tracker, stream: IO[bytes], person_id: str | None = None, *, progress: Progress | None = None
) -> Imported:
    """Import a file; what it is, is told by its content.

    May be repeated at will: what is there already is left as it is, and an import that was interrupted goes on.

    Args:
        tracker: The store, empty or not.
        stream: A binary file that can be read and sought in.
        person_id: Whose moles the storage of a SkinTracker app holds; None for a new person. An export names its own.
        progress: Told of every visit.

    Returns:
        What was added, what was there, and what was left out and why.

    Raises:
        ExchangeFileError: The file cannot be imported; nothing of it was.
        RecordNotFoundError: There is no such person.
        StoreError: The store failed; what was imported before stays.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if stream.read(4) in _ZIP_STARTS:
        if person_id is not None:
            raise ExchangeFileError("an export names its own people; name a person only for a SkinTracker file")
        with ArchiveReader(stream) as archive:
            source = ExportArchive(archive, tracker.store.limits.max_bytes)
            return import_items(tracker.store, source, progress)
    if size > JSON_LIMIT:
        raise ExchangeFileError(
            f"the file has {size:,} bytes and is no ZIP; a SkinTracker file may have at most {JSON_LIMIT:,}"
        )
    stream.seek(0)
    if person_id is not None:
        tracker.people.get(person_id)
    return import_items(tracker.store, SkinTrackerStorage(stream.read(), person_id), progress)
