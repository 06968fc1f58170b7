"""The visits of a lesion: its photos over time, and what models said of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar, Literal, TypedDict, Unpack, cast

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lesionlens.errors import InvalidRecordError
from lesionlens.tracker.analyses import NewAnalysis
from lesionlens.tracker.analyses_of_visits import AnalysesOfVisits
from lesionlens.tracker.conversions import to_visit
from lesionlens.tracker.creation import Creation
from lesionlens.tracker.database.models import AnalysisRow, LesionRow, PersonRow, VisitRow
from lesionlens.tracker.fields import VisitFields
from lesionlens.tracker.ids import is_hash, new_id
from lesionlens.tracker.lesions import Lesions
from lesionlens.tracker.pictures import describe_photo
from lesionlens.tracker.records import Page, Visit
from lesionlens.tracker.repository import Deleted, is_record
from lesionlens.tracker.visit_rows import analysis_row, moment_columns, name_photo

__all__ = ["VisitChanges", "VisitSort", "Visits"]

VisitSort = Literal["taken_at", "created_at", "updated_at"]


class VisitChanges(TypedDict, total=False):
    """Fields to change; `VisitFields` says what they may hold. The photo of a visit never changes."""

    taken_at: datetime
    note: str


class Visits(AnalysesOfVisits):
    """The visits.

    They are `add`ed with a photo, `move`d between lesions, and read by `get`, `list`, `photo` and `maps`.

    Nothing is ever written over: the photo of a visit stays, and so does every analysis of it.
    """

    _row = VisitRow
    _kind = "visit"
    _sorts: ClassVar[dict[str, InstrumentedAttribute[object]]] = {
        "taken_at": cast("InstrumentedAttribute[object]", VisitRow.taken_at),
        "created_at": cast("InstrumentedAttribute[object]", VisitRow.created_at),
        "updated_at": cast("InstrumentedAttribute[object]", VisitRow.updated_at),
    }

    def add(
        self,
        lesion_id: str,
        photo: bytes,
        *,
        taken_at: datetime | None = None,
        note: str = "",
        analysis: NewAnalysis | None = None,
    ) -> Visit:
        """Record a visit. Once this returns, photo and record are on the disk and survive a crash or a power cut.

        Args:
            lesion_id: Of which lesion.
            photo: The image file as it came; kept byte for byte.
            taken_at: When the photo was taken, with a UTC offset; None for now.
            note: At most 10,000 characters.
            analysis: What a model said of it; None if none was asked.

        Raises:
            ImageError: The photo cannot be used.
            InvalidRecordError: A value is not accepted.
            RecordNotFoundError: There is no such lesion.
            StoreError: It could not be stored.
        """
        made = self.add_once(new_id(), lesion_id, photo, taken_at=taken_at, note=note, analysis=analysis)
        return made.record

    def add_once(
        self,
        visit_id: str,
        lesion_id: str,
        photo: bytes,
        *,
        taken_at: datetime | None = None,
        note: str = "",
        analysis: NewAnalysis | None = None,
    ) -> Creation[Visit]:
        """Record a visit as `add` does, under an id of the caller's making; asked again, it changes nothing.

        Whoever lost the answer can so ask again. Photo and lesion tell whether it is the same visit; time and note may
        have been corrected since.

        Raises:
            RecordConflictError: A visit with another photo or of another lesion is recorded under the id, or it is
                deleted.
        """
        now = datetime.now(UTC)
        fields = VisitFields(taken_at=taken_at or now, note=note)
        described = describe_photo(photo, self._store.limits)
        lesions = Lesions(self._store)

        def same(row: VisitRow) -> bool:
            return row.photo_sha256 == described.sha256 and row.lesion_id == lesion_id

        with self._store.database.read() as session:  # so that no file is written for what cannot be recorded
            lesions.load_row(session, lesion_id)
            if (known := self._recorded(session, visit_id, same)) is not None:
                return Creation(known, new=False)
        self._store.photos.keep(photo)

        def make(session: Session) -> VisitRow:
            name_photo(self._store, session, described, photo, now)
            row = VisitRow(
                id=visit_id,
                lesion_id=lesion_id,
                photo_sha256=described.sha256,
                note=fields.note,
                created_at=now,
                updated_at=now,
                **moment_columns(fields.taken_at),
            )
            session.add(row)
            session.flush()
            if analysis is not None:
                session.add(analysis_row(row.id, analysis, now))
                session.flush()
            session.refresh(row, ["photo", "analyses"])
            return row

        return self._create_once(
            visit_id, check=lambda session: lesions.load_row(session, lesion_id, keep=True), same=same, make=make
        )

    def update(self, visit_id: str, /, **changes: Unpack[VisitChanges]) -> Visit:
        """Change the fields that are given and leave the others as they are.

        Raises:
            RecordNotFoundError: There is no such visit.
            InvalidRecordError: A value is not accepted; nothing was changed.
        """
        with self._store.database.write() as session:
            row = self.load_row(session, visit_id, lock=True)
            current = VisitChanges(taken_at=to_visit(row).taken_at, note=row.note)
            fields = VisitFields(**current | changes)
            for name, value in {**moment_columns(fields.taken_at), "note": fields.note}.items():
                setattr(row, name, value)
            row.updated_at = datetime.now(UTC)
            session.flush()
            return to_visit(row)

    def move(self, visit_id: str, lesion_id: str) -> Visit:
        """Give a visit to another lesion, for a photo that was filed under the wrong one.

        Raises:
            RecordNotFoundError: There is no such visit or lesion.
        """
        with self._store.database.write() as session:
            row = self.load_row(session, visit_id, lock=True)
            Lesions(self._store).load_row(session, lesion_id, keep=True)
            row.lesion_id = lesion_id
            row.updated_at = datetime.now(UTC)
            session.flush()
            return to_visit(row)

    def list(
        self,
        lesion_id: str | None = None,
        *,
        person_id: str | None = None,
        not_analysed_by: str | None = None,
        deleted: Deleted = "without",
        sort: VisitSort = "taken_at",
        descending: bool = True,
        offset: int = 0,
        limit: int = 100,
    ) -> Page[Visit]:
        """Return a part of the list of visits.

        Args:
            lesion_id: Of which lesion; None for all.
            person_id: Of whose lesions; None for everybody's.
            not_analysed_by: SHA-256 of a model's graph: only visits that it has not analysed yet; None for all.
            deleted: `without`, `only` or `with` the deleted ones.
            sort: Field to sort by.
            descending: Whether the newest come first.
            offset: Number of visits to leave out, 0 or more.
            limit: Most visits to return, 1–500.

        Raises:
            InvalidRecordError: A value is not accepted.
        """
        statement = select(VisitRow)
        if lesion_id is not None:
            statement = statement.where(is_record(VisitRow.lesion_id, lesion_id))
        if person_id is not None:
            theirs = select(LesionRow.id).where(is_record(LesionRow.person_id, person_id))
            statement = statement.where(VisitRow.lesion_id.in_(theirs))
        if not_analysed_by is not None:
            if not is_hash(not_analysed_by):
                accepted = "the SHA-256 of a graph: 64 lower-case hexadecimal digits"
                raise InvalidRecordError(
                    ("not_analysed_by", f"not_analysed_by is {not_analysed_by[:70]!r}; accepted: {accepted}")
                )
            by_it = AnalysisRow.graph_sha256 == not_analysed_by
            statement = statement.where(~exists().where(AnalysisRow.visit_id == VisitRow.id, by_it))
        return self._page(statement, deleted, sort, descending, offset, limit)

    def photo(self, visit_id: str, *, verify: bool = True) -> bytes:
        """Return a visit's photo as it was sent.

        Raises:
            RecordNotFoundError: There is no such visit.
            DamagedPhotoError: The file is missing or damaged.
        """
        return self._store.photos.read(self.get(visit_id, deleted=True).photo.sha256, verify=verify)

    def _record(self, row: VisitRow) -> Visit:
        return to_visit(row)

    def _above(self, statement: Select[VisitRow]) -> Select[VisitRow]:
        people = select(PersonRow.id).where(PersonRow.deleted_at.is_(None))
        lesions = select(LesionRow.id).where(LesionRow.deleted_at.is_(None), LesionRow.person_id.in_(people))
        return statement.where(VisitRow.lesion_id.in_(lesions))
