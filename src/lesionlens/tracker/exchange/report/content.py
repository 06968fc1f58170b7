"""What a report says of a person, read from the store one lesion at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lesionlens.attention import fit_within, overlay
from lesionlens.errors import ImageError, StoreError
from lesionlens.imaging import decode
from lesionlens.taxonomy import NUM_CLASSES
from lesionlens.tracker.analyses import MAP_DTYPE
from lesionlens.tracker.conversions import to_lesion, to_person, to_visit
from lesionlens.tracker.database.models import AnalysisRow, LesionRow, PersonRow, VisitRow
from lesionlens.tracker.exchange.report.chart import Chart, make_chart
from lesionlens.tracker.records import Lesion, Person, StoredAnalysis, Visit
from lesionlens.tracker.repository import Store

__all__ = ["Heading", "LesionPart", "VisitPart", "read_heading", "read_lesions"]

THUMBNAIL_SIDE: Final = 320
"""Longest side of the small pictures, in pixels."""
_QUALITY: Final = 82


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands at the top.

    Attributes:
        as_of: The last change of anything that the report may show; it says of what time the report is, and unlike the
            present it is the same whenever the report is made.
    """

    person: Person
    lesions: int
    visits: int
    as_of: datetime

    @property
    def counted(self) -> str:
        """How many lesions and photos there are, in words."""
        lesions = f"{self.lesions} lesion{'' if self.lesions == 1 else 's'}"
        return f"{lesions}, {self.visits} photo{'' if self.visits == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class VisitPart:
    """A visit.

    Attributes:
        photo: JPEG of the upright photo, shrunk; None if its file is lost or damaged.
        heat: JPEG of the same with the newest analysis' heatmap over it; None without maps.
    """

    visit: Visit
    photo: bytes | None
    heat: bytes | None


@dataclass(frozen=True, slots=True)
class LesionPart:
    """A lesion with its visits, the earliest photo first."""

    number: int
    lesion: Lesion
    chart: Chart | None
    visits: tuple[VisitPart, ...]


def read_heading(session: Session, row: PersonRow) -> Heading:
    """Read what stands at the top of a person's report."""
    of_person = LesionRow.person_id == row.id
    their_lesions = select(LesionRow.id).where(of_person)
    their_visits = select(VisitRow.id).where(VisitRow.lesion_id.in_(their_lesions))
    shown = select(LesionRow.id).where(of_person, LesionRow.deleted_at.is_(None))
    moments: list[datetime | None] = [row.created_at, row.updated_at]
    for table, mine in ((LesionRow, of_person), (VisitRow, VisitRow.lesion_id.in_(their_lesions))):
        columns = (table.created_at, table.updated_at, table.deleted_at)
        moments.extend(session.scalar(select(func.max(column)).where(mine)) for column in columns)
    moments.append(
        session.scalar(select(func.max(AnalysisRow.created_at)).where(AnalysisRow.visit_id.in_(their_visits)))
    )
    visits = select(func.count()).where(VisitRow.lesion_id.in_(shown), VisitRow.deleted_at.is_(None))
    return Heading(
        to_person(row),
        session.scalar(select(func.count()).select_from(shown.subquery())) or 0,
        session.scalar(visits) or 0,
        max(moment for moment in moments if moment is not None),
    )


def read_lesions(store: Store, session: Session, person_id: str) -> Iterator[LesionPart]:
    """Yield a person's lesions that are not deleted, in the order in which they were recorded."""
    lesions = (
        select(LesionRow)
        .where(LesionRow.person_id == person_id, LesionRow.deleted_at.is_(None))
        .order_by(LesionRow.created_at, LesionRow.id)
    )
    for number, row in enumerate(session.scalars(lesions).all(), start=1):
        rows = session.scalars(
            select(VisitRow)
            .where(VisitRow.lesion_id == row.id, VisitRow.deleted_at.is_(None))
            .order_by(VisitRow.taken_at, VisitRow.id)
        )
        visits = [to_visit(visit) for visit in rows]
        parts = tuple(_with_pictures(store, session, visit) for visit in visits)
        yield LesionPart(number, to_lesion(row), make_chart(visits), parts)


def _with_pictures(store: Store, session: Session, visit: Visit) -> VisitPart:
    try:
        data = store.photos.read(visit.photo.sha256)
        photo = fit_within(decode(data, limits=store.limits, min_side=THUMBNAIL_SIDE).image, THUMBNAIL_SIDE)
    except (ImageError, StoreError):
        return VisitPart(visit, None, None)
    newest = visit.latest
    heat = None if newest is None else _heat(session, newest, photo)
    return VisitPart(visit, _jpeg(photo), None if heat is None else _jpeg(heat))


def _heat(session: Session, analysis: StoredAnalysis, photo: Image.Image) -> Image.Image | None:
    if analysis.maps_shape is None or analysis.seen_box is None:
        return None
    data = session.scalar(select(AnalysisRow.maps).where(AnalysisRow.id == analysis.id))
    if data is None:
        return None
    maps = np.frombuffer(data, dtype=MAP_DTYPE).reshape(analysis.maps_shape).astype(np.float32)
    top = max(range(NUM_CLASSES), key=analysis.probabilities.__getitem__)
    return overlay(photo, maps[top], box=analysis.seen_box)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
