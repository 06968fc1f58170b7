"""Removing records for good, with all that belongs to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from lesionlens.tracker.database.models import AnalysisRow, Kept, LesionRow, PersonRow, VisitRow
from lesionlens.tracker.database.sessions import Database
from lesionlens.tracker.photos import PhotoFiles
from lesionlens.tracker.records import Erased
from lesionlens.tracker.removals import finish_removals, forget_photos

__all__ = ["erase"]


def erase(
    database: Database,
    photos: PhotoFiles,
    kind: type[Kept],
    record_id: str,
    *,
    deleted_before: datetime | None = None,
) -> Erased | None:
    """Remove a person, a lesion or a visit with all that belongs to it, and the photos that nothing else shows.

    Args:
        database: The records.
        photos: The photo files.
        kind: `PersonRow`, `LesionRow` or `VisitRow`.
        record_id: Its id.
        deleted_before: Remove it only if it was deleted at this time or before and is not undeleted since; None for
            whatever state it is in.

    Returns:
        How much was removed; None if there is no such record.

    Raises:
        StoreError: The records are gone, but a photo file could not be removed yet.
    """
    with database.write() as session:
        wanted = select(kind.id).where(kind.id == record_id)
        if deleted_before is not None:
            wanted = wanted.where(kind.deleted_at <= deleted_before)
        # From the top down, each row is locked before what belongs to it is looked up, so that nothing can be added
        # below it meanwhile and go with it unseen; and photos after rows, as everywhere.
        found = session.scalar(wanted.with_for_update()) is not None
        erased = _erase_rows(database, session, kind, record_id) if found else None
    if erased is not None:
        finish_removals(database, photos)
        database.forget_erased()
    return erased


def _erase_rows(database: Database, session: Session, kind: type[Kept], record_id: str) -> Erased:
    lesions: list[str] = []
    if kind is not VisitRow:
        mine = LesionRow.person_id == record_id if kind is PersonRow else LesionRow.id == record_id
        lesions = list(session.scalars(select(LesionRow.id).where(mine).order_by(LesionRow.id).with_for_update()))
    below: ColumnElement[bool] = VisitRow.id == record_id
    if kind is PersonRow:
        below = VisitRow.lesion_id.in_(select(LesionRow.id).where(LesionRow.person_id == record_id))
    elif kind is LesionRow:
        below = VisitRow.lesion_id == record_id
    visits = session.execute(select(VisitRow.id, VisitRow.photo_sha256).where(below)).all()
    analyses = session.scalar(
        select(func.count()).where(AnalysisRow.visit_id.in_(select(VisitRow.id).where(below))).select_from(AnalysisRow)
    )
    hashes = {visit.photo_sha256 for visit in visits}
    database.lock_photos(session, hashes)
    session.execute(delete(kind).where(kind.id == record_id))  # the database removes what belongs to it
    return Erased(
        people=int(kind is PersonRow),
        lesions=len(lesions),
        visits=len(visits),
        analyses=analyses or 0,
        photos=forget_photos(session, hashes),
    )
