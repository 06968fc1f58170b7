"""The rows that a visit consists of, on their way into the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from lesionlens.tracker.analyses import MAP_DTYPE, NewAnalysis
from lesionlens.tracker.database.models import AnalysisRow, PhotoRow
from lesionlens.tracker.ids import new_id
from lesionlens.tracker.records import Photo
from lesionlens.tracker.repository import Store

__all__ = ["analysis_row", "moment_columns", "name_photo"]


def name_photo(store: Store, session: Session, described: Photo, photo: bytes, now: datetime) -> bool:
    """Have a row for a photo in this transaction, and a file that stays until the transaction ends.

    Args:
        store: Where the photo was kept.
        session: A transaction of `Database.write`, in which the lesion's row is locked already.
        described: The photo.
        photo: Its bytes.
        now: When it is recorded.

    Returns:
        Whether no visit showed the photo before.

    Raises:
        StoreError: The file had been erased meanwhile and could not be written again.
    """
    store.database.lock_photos(session, [described.sha256])
    if not store.photos.exists(described.sha256):  # erased by another since it was kept
        store.photos.keep(photo)
    if session.get(PhotoRow, described.sha256) is not None:
        return False
    row = PhotoRow(
        sha256=described.sha256,
        media_type=described.media_type,
        width=described.width,
        height=described.height,
        byte_size=described.byte_size,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return True


def moment_columns(taken_at: datetime) -> dict[str, object]:
    """Return the columns that hold when a photo was taken.

    Args:
        taken_at: With a UTC offset in whole minutes.
    """
    offset = taken_at.utcoffset() or timedelta(0)
    return {"taken_at": taken_at, "taken_offset": offset // timedelta(minutes=1)}


def analysis_row(visit_id: str, analysis: NewAnalysis, now: datetime, *, analysis_id: str | None = None) -> AnalysisRow:
    """Return a new row for an analysis.

    Args:
        visit_id: Whose photo it is about.
        analysis: What a model said.
        now: When it was made, if it does not say.
        analysis_id: Its id, when it was made elsewhere; None for a new one.
    """
    maps = analysis.maps
    return AnalysisRow(
        id=analysis_id or new_id(),
        visit_id=visit_id,
        maps=None if maps is None else maps.astype(MAP_DTYPE).tobytes(),
        maps_height=None if maps is None else maps.shape[1],
        maps_width=None if maps is None else maps.shape[2],
        created_at=analysis.created_at or now,
        **analysis.model_dump(exclude={"maps", "created_at"}),
    )
