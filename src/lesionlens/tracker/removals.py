"""Removing photo files for good, and never one that a record needs, whatever happens in between.

A file may go only when no row of `photos` names it, and rows come and go while others write. So whoever erases records
notes in the same transaction which photos nothing shows any more; only after that is committed is each file removed,
under the lock that whoever adds that photo takes too. A crash in between leaves the note, and the next start goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from lesionlens.errors import StoreError
from lesionlens.tracker.database.models import PhotoRow, RemovalRow, VisitRow
from lesionlens.tracker.database.sessions import Database
from lesionlens.tracker.photos import PhotoFiles

__all__ = ["finish_removals", "forget_photos"]


def forget_photos(session: Session, hashes: Iterable[str]) -> int:
    """Drop the photos that no visit shows any more, and note that their files are to be removed.

    Args:
        session: The transaction that erased the visits; holds the lock of these photos (`Database.lock_photos`).
        hashes: SHA-256 of photos that may have become unused.

    Returns:
        How many were dropped.
    """
    dropped = 0
    for sha256 in sorted(set(hashes)):
        if session.scalar(select(exists().where(VisitRow.photo_sha256 == sha256))):
            continue
        session.execute(delete(PhotoRow).where(PhotoRow.sha256 == sha256))
        if session.get(RemovalRow, sha256) is None:
            session.add(RemovalRow(sha256=sha256, created_at=datetime.now(UTC)))
        dropped += 1
    return dropped


def finish_removals(database: Database, photos: PhotoFiles) -> int:
    """Remove the files of all photos that are noted as to be removed, unless a record came to need them again.

    Args:
        database: The records.
        photos: The files.

    Returns:
        How many were removed.

    Raises:
        StoreError: A file cannot be removed; its note stays, and the next call tries again.
    """
    with database.read() as session:
        noted = list(session.scalars(select(RemovalRow.sha256).order_by(RemovalRow.sha256)))
    removed = 0
    for sha256 in noted:
        with database.write() as session:
            database.lock_photos(session, [sha256])
            if session.get(PhotoRow, sha256) is None:
                try:
                    photos.remove(sha256)
                except OSError as error:
                    raise StoreError(
                        f"the photo file {photos.path(sha256)} cannot be removed: {error.strerror or error}; it will "
                        "be tried again when the store is next opened"
                    ) from error
                removed += 1
            session.execute(delete(RemovalRow).where(RemovalRow.sha256 == sha256))
    return removed
