"""What people, lesions and visits have in common: reading, listing, deleting and undeleting, erasing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final, Generic, Literal, TypeVar, get_args

from sqlalchemy import ColumnElement, Select, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lesionlens.errors import InvalidRecordError, RecordConflictError, RecordNotFoundError
from lesionlens.imaging import Limits
from lesionlens.tracker.database.models import Kept
from lesionlens.tracker.database.sessions import Database
from lesionlens.tracker.erase import erase
from lesionlens.tracker.ids import is_id
from lesionlens.tracker.photos import PhotoFiles
from lesionlens.tracker.records import Erased, Page

__all__ = ["MAX_LIMIT", "Deleted", "RecordT", "Repository", "RowT", "Store", "is_record"]

Deleted = Literal["without", "only", "with"]
"""Which records a list holds: those that are not deleted, the deleted ones that can be undeleted now, or all."""

MAX_LIMIT: Final = 500
"""Most records on a page."""
_MAX_OFFSET: Final = 2**31 - 1
_EVER: Final = datetime.max.replace(tzinfo=UTC)  # not now: a clock may have been put back since, or be another's

RowT = TypeVar("RowT", bound=Kept)
RecordT = TypeVar("RecordT")


@dataclass(frozen=True, slots=True)
class Store:
    """What the repositories work on.

    Attributes:
        database: The records.
        photos: The photo files.
        limits: Largest accepted photo.
    """

    database: Database
    photos: PhotoFiles
    limits: Limits


class Repository(ABC, Generic[RowT, RecordT]):
    """The records of one kind. Safe from any number of threads.

    Args:
        store: What it works on.
    """

    _row: type[RowT]
    _kind: ClassVar[str]
    _sorts: ClassVar[dict[str, InstrumentedAttribute[object]]]

    def __init__(self, store: Store) -> None:
        self._store = store

    @abstractmethod
    def _record(self, row: RowT) -> RecordT:
        """Return a row's record."""

    @abstractmethod
    def _above(self, statement: Select[RowT]) -> Select[RowT]:
        """Leave out the rows that are hidden because what they belong to is deleted."""

    def get(self, record_id: str, *, deleted: bool = False) -> RecordT:
        """Return a record.

        Args:
            record_id: Its id.
            deleted: Whether to return it also when it, or what it belongs to, is deleted.

        Raises:
            RecordNotFoundError: There is none, or it is deleted.
        """
        with self._store.database.read() as session:
            return self._record(self.load_row(session, record_id, "with" if deleted else "without"))

    def delete(self, record_id: str) -> RecordT:
        """Delete a record so that it can be undeleted; what belongs to it is hidden with it. Nothing is removed.

        One that is deleted already stays as it is.

        Raises:
            RecordNotFoundError: There is none.
        """
        with self._store.database.write() as session:
            row = self.load_row(session, record_id, "with", lock=True)
            if row.deleted_at is None:
                row.deleted_at = datetime.now(UTC)
                session.flush()
            return self._record(row)

    def undelete(self, record_id: str) -> RecordT:
        """Undo `delete`; what was hidden with the record is back, but for what was deleted by itself.

        One that is not deleted stays as it is.

        Raises:
            RecordNotFoundError: There is none.
            RecordConflictError: What it belongs to is deleted.
        """
        with self._store.database.write() as session:
            row = self.load_row(session, record_id, "with", lock=True)
            if session.scalar(self._above(select(self._row)).where(self._row.id == record_id)) is None:
                raise RecordConflictError(
                    f"the {self._kind} {record_id!r} belongs to something that is deleted; undelete that first"
                )
            row.deleted_at = None
            session.flush()
            return self._record(row)

    def erase(self, record_id: str) -> Erased:
        """Remove a record for good, deleted or not, with all that belongs to it and the photos that nothing else shows.

        Raises:
            RecordNotFoundError: There is none.
            StoreError: The records are gone, but a photo file could not be removed yet.
        """
        store = self._store
        erased = erase(store.database, store.photos, self._row, record_id) if is_id(record_id) else None
        if erased is None:
            raise self._missing(record_id)
        return erased

    def erase_deleted(self, record_id: str) -> Erased:
        """Remove a record as `erase` does, but only one that is deleted: for callers who must not erase by a slip.

        Raises:
            RecordNotFoundError: There is none.
            RecordConflictError: It is not deleted itself.
            StoreError: The records are gone, but a photo file could not be removed yet.
        """
        store = self._store
        if is_id(record_id) and (
            erased := erase(store.database, store.photos, self._row, record_id, deleted_before=_EVER)
        ):
            return erased
        self.get(record_id, deleted=True)
        raise RecordConflictError(f"the {self._kind} {record_id!r} is not deleted; delete it first, then erase it")

    def erase_if_deleted(self, record_id: str, before: datetime) -> Erased:
        """Remove a record as `erase` does, if it was deleted by then and nobody undeleted or erased it since.

        Args:
            record_id: Its id.
            before: With a UTC offset.

        Raises:
            StoreError: The records are gone, but a photo file could not be removed yet.
        """
        store = self._store
        return erase(store.database, store.photos, self._row, record_id, deleted_before=before) or Erased()

    def _page(
        self,
        statement: Select[RowT],
        deleted: Deleted,
        sort: str,
        descending: bool,
        offset: int,
        limit: int,
    ) -> Page[RecordT]:
        """Return a part of a list; ties are broken by id, so that pages never overlap."""
        _check_list(deleted, sort, tuple(self._sorts), offset, limit)
        statement = self._among(statement, deleted)
        order: list[ColumnElement[object]] = [
            column.desc() if descending else column.asc() for column in (self._sorts[sort], self._row.id)
        ]
        with self._store.database.read() as session:
            ids = statement.with_only_columns(self._row.id).subquery()
            total = session.scalar(select(func.count()).select_from(ids))
            # The databases disagree on where missing values go; here they come last whatever the direction.
            rows = session.scalars(statement.order_by(order[0].nulls_last(), order[1]).offset(offset).limit(limit))
            return Page(tuple(self._record(row) for row in rows), total or 0, offset, limit)

    def _among(self, statement: Select[RowT], deleted: Deleted) -> Select[RowT]:
        match deleted:
            case "without":
                return self._above(statement).where(self._row.deleted_at.is_(None))
            case "only":
                return self._above(statement).where(self._row.deleted_at.is_not(None))
            case "with":
                return statement

    def load_row(
        self, session: Session, record_id: str, deleted: Deleted = "without", *, lock: bool = False, keep: bool = False
    ) -> RowT:
        """Return a row of this transaction.

        Args:
            session: The transaction.
            record_id: The row's id.
            deleted: Where to look for it.
            lock: Whether to keep others from changing the row until the transaction ends (PostgreSQL; a writer of
                SQLite has the whole database anyway).
            keep: Whether to keep others from erasing it.

        Raises:
            RecordNotFoundError: It is not there.
        """
        if not is_id(record_id):
            raise self._missing(record_id)
        statement = self._among(select(self._row), deleted).where(self._row.id == record_id)
        if lock or keep:
            statement = statement.with_for_update(of=self._row, read=keep, key_share=keep)
        row = session.scalar(statement)
        if row is not None:
            return row
        if session.scalar(select(self._row.id).where(self._row.id == record_id)) is not None:
            raise RecordNotFoundError(
                f"the {self._kind} {record_id!r}, or what it belongs to, is deleted; undelete it first"
            )
        raise self._missing(record_id)

    def _missing(self, record_id: str) -> RecordNotFoundError:
        return RecordNotFoundError(f"there is no {self._kind} {record_id[:60]!r}")


def is_record(column: InstrumentedAttribute[str], record_id: str) -> ColumnElement[bool]:
    """Return the condition that a column holds an id, which no row meets when it is none.

    PostgreSQL fails on some texts that are no ids, where SQLite finds nothing.
    """
    return column == record_id if is_id(record_id) else false()


def _check_list(deleted: str, sort: str, sorts: tuple[str, ...], offset: int, limit: int) -> None:
    problems = []
    for name, value, accepted in (("deleted", deleted, get_args(Deleted)), ("sort", sort, sorts)):
        if value not in accepted:
            problems.append((name, f"{name} is {value!r}; accepted: {', '.join(accepted)}"))
    for name, number, low, high in (("offset", offset, 0, _MAX_OFFSET), ("limit", limit, 1, MAX_LIMIT)):
        if not low <= number <= high:
            problems.append((name, f"{name} is {number}; accepted: a whole number, {low}–{high}"))
    if problems:
        raise InvalidRecordError(*problems)
