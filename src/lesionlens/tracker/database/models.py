"""The tables.

Ids are texts (`lesionlens.tracker.ids`). A record is deleted softly by `deleted_at`, and with it, without a mark of
their own, the records below it; so undoing it brings back exactly what was there. Rules that may change live in
`lesionlens.tracker.fields`; the database holds those that never will.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    func,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship

from lesionlens.tracker.database.columns import Json, UtcDateTime, exact_text

__all__ = ["AnalysisRow", "Base", "Kept", "LesionRow", "PersonRow", "PhotoRow", "RemovalRow", "VisitRow"]

_ID = exact_text(36)
_HASH = exact_text(64)


class Base(DeclarativeBase):
    """Base of the tables; constraints have names in both databases, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Kept:
    """What people, lesions and visits have in common."""

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    note: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class PersonRow(Kept, Base):
    """A person."""

    __tablename__ = "people"
    __table_args__ = (CheckConstraint("skin_type BETWEEN 1 AND 6", name="skin_type"),)

    label: Mapped[str] = mapped_column(String(100))
    label_key: Mapped[str] = mapped_column(exact_text(400), index=True)
    birth_year: Mapped[int | None] = mapped_column(SmallInteger)
    sex: Mapped[str | None] = mapped_column(String(20))
    skin_type: Mapped[int | None] = mapped_column(SmallInteger)

    if TYPE_CHECKING:
        lesion_count: Mapped[int]


class LesionRow(Kept, Base):
    """A lesion."""

    __tablename__ = "lesions"
    __table_args__ = (
        CheckConstraint("x BETWEEN 0 AND 1", name="x"),
        CheckConstraint("y BETWEEN 0 AND 1", name="y"),
        CheckConstraint("reminder_months > 0", name="reminder_months"),
        Index(None, "person_id", "view"),
    )

    person_id: Mapped[str] = mapped_column(_ID, ForeignKey("people.id", ondelete="CASCADE"))
    view: Mapped[str] = mapped_column(String(20))
    x: Mapped[float]
    y: Mapped[float]
    site: Mapped[str] = mapped_column(String(100))
    site_key: Mapped[str] = mapped_column(exact_text(400))
    colour: Mapped[str | None] = mapped_column(String(20))
    reminder_months: Mapped[int | None] = mapped_column(SmallInteger)

    if TYPE_CHECKING:
        visit_count: Mapped[int]
        last_visit_at: Mapped[datetime | None]


class PhotoRow(Base):
    """A photo file that at least one visit shows."""

    __tablename__ = "photos"

    sha256: Mapped[str] = mapped_column(_HASH, primary_key=True)
    media_type: Mapped[str] = mapped_column(String(40))
    width: Mapped[int]
    height: Mapped[int]
    byte_size: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RemovalRow(Base):
    """A photo file that is to be removed, since nothing shows it any more: outlives a crash before that is done."""

    __tablename__ = "photo_removals"

    sha256: Mapped[str] = mapped_column(_HASH, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AnalysisRow(Base):
    """What a model said of a visit's photo."""

    __tablename__ = "analyses"
    __table_args__ = (CheckConstraint("prediction BETWEEN 0 AND 8", name="prediction"),)

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    visit_id: Mapped[str] = mapped_column(_ID, ForeignKey("visits.id", ondelete="CASCADE"), index=True)
    model: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(200))
    graph_sha256: Mapped[str] = mapped_column(_HASH, index=True)
    engine: Mapped[str] = mapped_column(String(200))
    prediction: Mapped[int] = mapped_column(SmallInteger)
    probabilities: Mapped[list[float]] = mapped_column(Json)
    logits: Mapped[list[float]] = mapped_column(Json)
    malignant_probability: Mapped[float]
    seen_box: Mapped[list[float] | None] = mapped_column(Json)
    prediction_set: Mapped[list[int] | None] = mapped_column(Json)
    suitability: Mapped[dict[str, Any] | None] = mapped_column(Json)
    quality: Mapped[dict[str, Any] | None] = mapped_column(Json)
    # Lists never show the maps: 1.6 kB each at 7 × 7, 7 kB at 15 × 15.
    maps: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    maps_height: Mapped[int | None] = mapped_column(SmallInteger)
    maps_width: Mapped[int | None] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class VisitRow(Kept, Base):
    """A photo of a lesion on a day."""

    __tablename__ = "visits"
    __table_args__ = (Index(None, "lesion_id", "taken_at"),)

    lesion_id: Mapped[str] = mapped_column(_ID, ForeignKey("lesions.id", ondelete="CASCADE"))
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # A photo taken late in the evening in Tokyo belongs to that day, which UTC alone does not tell.
    taken_offset: Mapped[int] = mapped_column(SmallInteger)
    photo_sha256: Mapped[str] = mapped_column(_HASH, ForeignKey("photos.sha256", ondelete="RESTRICT"), index=True)

    photo: Mapped[PhotoRow] = relationship(lazy="joined", innerjoin=True)
    analyses: Mapped[list[AnalysisRow]] = relationship(
        lazy="selectin",
        order_by=lambda: (AnalysisRow.created_at, AnalysisRow.id),
        cascade="all, delete-orphan",
        passive_deletes=True,
    )


PersonRow.lesion_count = column_property(
    select(func.count())
    .where(LesionRow.person_id == PersonRow.id, LesionRow.deleted_at.is_(None))
    .correlate_except(LesionRow)
    .scalar_subquery()
)
LesionRow.visit_count = column_property(
    select(func.count())
    .where(VisitRow.lesion_id == LesionRow.id, VisitRow.deleted_at.is_(None))
    .correlate_except(VisitRow)
    .scalar_subquery()
)
LesionRow.last_visit_at = column_property(
    select(func.max(VisitRow.taken_at))
    .where(VisitRow.lesion_id == LesionRow.id, VisitRow.deleted_at.is_(None))
    .correlate_except(VisitRow)
    .scalar_subquery()
)
