"""The lesions of a person, each pinned to a place on the body."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, TypedDict, Unpack, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lesionlens.errors import InvalidRecordError
from lesionlens.tracker.conversions import to_lesion, to_visit
from lesionlens.tracker.creation import Creating, Creation
from lesionlens.tracker.database.columns import sort_key
from lesionlens.tracker.database.models import LesionRow, PersonRow, VisitRow
from lesionlens.tracker.fields import VIEWS, Colour, LesionFields, View
from lesionlens.tracker.ids import new_id
from lesionlens.tracker.latest import LatestAnalysis, latest_analyses
from lesionlens.tracker.people import People
from lesionlens.tracker.records import Lesion, Neighbour, Page, Timeline
from lesionlens.tracker.repository import Deleted, is_record

__all__ = ["LesionChanges", "LesionSort", "Lesions"]

LesionSort = Literal["site", "created_at", "updated_at", "last_visit_at"]


class LesionChanges(TypedDict, total=False):
    """Fields to change; `LesionFields` says what they may hold."""

    view: View
    x: float
    y: float
    site: str
    note: str
    colour: Colour | None
    reminder_months: int | None


class Lesions(Creating[LesionRow, Lesion]):
    """Lesions.

    They are `create`d for a person, found by `get`, `list`, `near`, `due` and `timeline`; `latest` says how they are.
    """

    _row = LesionRow
    _kind = "lesion"
    _sorts: ClassVar[dict[str, InstrumentedAttribute[object]]] = {
        "site": cast("InstrumentedAttribute[object]", LesionRow.site_key),
        "created_at": cast("InstrumentedAttribute[object]", LesionRow.created_at),
        "updated_at": cast("InstrumentedAttribute[object]", LesionRow.updated_at),
        "last_visit_at": cast("InstrumentedAttribute[object]", LesionRow.last_visit_at),
    }

    def create(
        self,
        person_id: str,
        view: View,
        x: float,
        y: float,
        *,
        site: str = "",
        note: str = "",
        colour: Colour | None = None,
        reminder_months: int | None = None,
    ) -> Lesion:
        """Record a lesion of a person; `LesionFields` says what the fields may hold.

        Raises:
            InvalidRecordError: A value is not accepted.
            RecordNotFoundError: There is no such person.
        """
        fields = LesionFields(view=view, x=x, y=y, site=site, note=note, colour=colour, reminder_months=reminder_months)
        return self.create_once(new_id(), person_id, fields).record

    def create_once(self, lesion_id: str, person_id: str, fields: LesionFields) -> Creation[Lesion]:
        """Record a lesion under an id of the caller's making; asked again with the same content, it changes nothing.

        Raises:
            InvalidRecordError: It is no id.
            RecordNotFoundError: There is no such person.
            RecordConflictError: A lesion with other content is recorded under it, or it is deleted.
        """
        values = {"person_id": person_id} | {name: getattr(fields, name) for name in LesionFields.model_fields}
        now = datetime.now(UTC)

        def make(session: Session) -> LesionRow:
            row = LesionRow(id=lesion_id, created_at=now, updated_at=now, site_key=sort_key(fields.site), **values)
            session.add(row)
            session.flush()
            return row

        def same(row: LesionRow) -> bool:
            return all(getattr(row, name) == value for name, value in values.items())

        return self._create_once(
            lesion_id,
            check=lambda session: People(self._store).load_row(session, person_id, keep=True),
            same=same,
            make=make,
        )

    def update(self, lesion_id: str, /, **changes: Unpack[LesionChanges]) -> Lesion:
        """Change the fields that are given and leave the others as they are.

        Raises:
            RecordNotFoundError: There is no such lesion.
            InvalidRecordError: A value is not accepted; nothing was changed.
        """
        with self._store.database.write() as session:
            row = self.load_row(session, lesion_id, lock=True)
            values: dict[str, Any] = {name: getattr(row, name) for name in LesionFields.model_fields}
            values.update(changes)
            fields = LesionFields(**values)
            for name, value in fields.model_dump().items():
                setattr(row, name, value)
            row.site_key = sort_key(fields.site)
            row.updated_at = datetime.now(UTC)
            session.flush()
            return to_lesion(row)

    def list(
        self,
        person_id: str | None = None,
        *,
        view: View | None = None,
        deleted: Deleted = "without",
        sort: LesionSort = "created_at",
        descending: bool = False,
        offset: int = 0,
        limit: int = 100,
    ) -> Page[Lesion]:
        """Return a part of the list of lesions.

        Args:
            person_id: Whose; None for everybody's.
            view: On which body map; None for all.
            deleted: `without`, `only` or `with` the deleted ones.
            sort: Field to sort by; sites without regard to case and accents. Missing values come last.
            descending: Whether to turn the order round.
            offset: Number of lesions to leave out, 0 or more.
            limit: Most lesions to return, 1–500.

        Raises:
            InvalidRecordError: A value is not accepted.
        """
        statement = select(LesionRow)
        if person_id is not None:
            statement = statement.where(is_record(LesionRow.person_id, person_id))
        if view is not None:
            if view not in VIEWS:
                raise InvalidRecordError(("view", f"view is {view[:60]!r}; accepted: {', '.join(VIEWS)}"))
            statement = statement.where(LesionRow.view == view)
        return self._page(statement, deleted, sort, descending, offset, limit)

    def near(
        self, person_id: str, view: View, x: float, y: float, *, radius: float = 0.05, aspect: float = 1.0
    ) -> tuple[Neighbour, ...]:
        """Find a person's lesions near a place on the body, the nearest first.

        Args:
            person_id: Whose.
            view: Body map.
            x: Place from the map's left edge, as a share of its width, 0–1.
            y: Place from its top edge, as a share of its height, 0–1.
            radius: Largest distance, as a share of the map's width, above 0.
            aspect: Height of the map divided by its width, above 0.

        Raises:
            InvalidRecordError: A value is not accepted.
        """
        place = LesionFields(view=view, x=x, y=y)
        for name, value in (("radius", radius), ("aspect", aspect)):
            if not 0 < value < math.inf:
                raise InvalidRecordError((name, f"{name} is {value}; accepted: a number above 0"))
        statement = self._among(select(LesionRow), "without").where(
            is_record(LesionRow.person_id, person_id), LesionRow.view == place.view
        )
        with self._store.database.read() as session:
            lesions = [to_lesion(row) for row in session.scalars(statement)]
        distances = (Neighbour(at, math.hypot(at.x - x, (at.y - y) * aspect)) for at in lesions)
        return tuple(sorted((n for n in distances if n.distance <= radius), key=lambda n: (n.distance, n.lesion.id)))

    def due(
        self, person_id: str | None = None, *, now: datetime | None = None, within: timedelta = timedelta(0)
    ) -> tuple[Lesion, ...]:
        """Find the lesions whose next photo is due (`Lesion.due_at`), the longest overdue first.

        Args:
            person_id: Whose; None for everybody's.
            now: With a UTC offset; None for the present.
            within: How far ahead to look.
        """
        until = (now or datetime.now(UTC)) + within
        statement = self._among(select(LesionRow), "without").where(LesionRow.reminder_months.is_not(None))
        if person_id is not None:
            statement = statement.where(is_record(LesionRow.person_id, person_id))
        with self._store.database.read() as session:
            lesions = [to_lesion(row) for row in session.scalars(statement)]
        due = [(lesion.due_at, lesion.id, lesion) for lesion in lesions if lesion.due_at and lesion.due_at <= until]
        return tuple(lesion for _, _, lesion in sorted(due, key=lambda entry: entry[:2]))

    def timeline(self, lesion_id: str) -> Timeline:
        """Return a lesion with all its visits that are not deleted, the earliest photo first.

        Raises:
            RecordNotFoundError: There is no such lesion.
        """
        with self._store.database.read() as session:
            lesion = to_lesion(self.load_row(session, lesion_id))
            visits = session.scalars(
                select(VisitRow)
                .where(VisitRow.lesion_id == lesion_id, VisitRow.deleted_at.is_(None))
                .order_by(VisitRow.taken_at, VisitRow.id)
            )
            return Timeline(lesion, tuple(to_visit(row) for row in visits))

    def latest(self, lesion_ids: Iterable[str]) -> dict[str, LatestAnalysis]:
        """Return what was last said of each lesion, by its id; one without any analysis is left out.

        Args:
            lesion_ids: Any number of ids, read in one query for each 500.
        """
        with self._store.database.read() as session:
            return latest_analyses(session, lesion_ids)

    def _record(self, row: LesionRow) -> Lesion:
        return to_lesion(row)

    def _above(self, statement: Select[LesionRow]) -> Select[LesionRow]:
        shown = select(PersonRow.id).where(PersonRow.deleted_at.is_(None))
        return statement.where(LesionRow.person_id.in_(shown))
