"""Records under ids that whoever asks has made, so that a request whose answer was lost can be sent again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lesionlens.errors import InvalidRecordError, RecordConflictError
from lesionlens.tracker.ids import is_id
from lesionlens.tracker.repository import RecordT, Repository, RowT

__all__ = ["Creating", "Creation"]


@dataclass(frozen=True, slots=True)
class Creation(Generic[RecordT]):
    """A record that was asked for.

    Attributes:
        record: The record.
        new: Whether it was recorded now; false if it had been there with the same content.
    """

    record: RecordT
    new: bool


class Creating(Repository[RowT, RecordT]):
    """A repository whose records can be created."""

    def _create_once(
        self,
        record_id: str,
        *,
        check: Callable[[Session], object],
        same: Callable[[RowT], bool],
        make: Callable[[Session], RowT],
    ) -> Creation[RecordT]:
        """Record something under an id that whoever asks has made, unless it is recorded already.

        Args:
            record_id: The id.
            check: Raises if nothing may be recorded here; locks what the new row will belong to.
            same: Whether a row that is there holds what is to be recorded.
            make: Adds the row and returns it, flushed.

        Raises:
            InvalidRecordError: It is no id.
            RecordConflictError: Something else is recorded under it, or it is deleted.
        """
        for first in (True, False):
            try:
                with self._store.database.write() as session:
                    check(session)
                    found = self._recorded(session, record_id, same)
                    return (
                        Creation(self._record(make(session)), new=True) if found is None else Creation(found, new=False)
                    )
            except IntegrityError:  # PostgreSQL: another transaction recorded the same in this moment
                if not first:
                    raise
        raise AssertionError("unreachable")

    def _recorded(self, session: Session, record_id: str, same: Callable[[RowT], bool]) -> RecordT | None:
        """Return what is recorded under an id; None if nothing is."""
        if not is_id(record_id):
            shown = repr(record_id[:60])
            raise InvalidRecordError(("id", f"id is {shown}; accepted: a UUID in lower case, or nothing for a new one"))
        row = session.get(self._row, record_id)
        if row is None:
            return None
        if row.deleted_at is not None:
            raise RecordConflictError(f"the {self._kind} {record_id!r} is recorded already, and deleted; undelete it")
        if not same(row):
            raise RecordConflictError(
                f"another {self._kind} is recorded under the id {record_id!r}; change that one, or take another id"
            )
        return self._record(row)
