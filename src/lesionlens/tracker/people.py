"""The people whose lesions are tracked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypedDict, Unpack, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lesionlens.tracker.conversions import to_person
from lesionlens.tracker.creation import Creating, Creation
from lesionlens.tracker.database.columns import sort_key
from lesionlens.tracker.database.models import PersonRow
from lesionlens.tracker.fields import PersonFields, Sex
from lesionlens.tracker.ids import new_id
from lesionlens.tracker.records import Page, Person
from lesionlens.tracker.repository import Deleted

__all__ = ["People", "PersonChanges", "PersonSort"]

PersonSort = Literal["label", "birth_year", "created_at", "updated_at"]


class PersonChanges(TypedDict, total=False):
    """Fields to change; `PersonFields` says what they may hold."""

    label: str
    birth_year: int | None
    sex: Sex | None
    skin_type: int | None
    note: str


class People(Creating[PersonRow, Person]):
    """People: `create`, `create_once`, `get`, `list`, `update`, `delete`, `undelete`, `erase`."""

    _row = PersonRow
    _kind = "person"
    _sorts: ClassVar[dict[str, InstrumentedAttribute[object]]] = {
        "label": cast("InstrumentedAttribute[object]", PersonRow.label_key),
        "birth_year": cast("InstrumentedAttribute[object]", PersonRow.birth_year),
        "created_at": cast("InstrumentedAttribute[object]", PersonRow.created_at),
        "updated_at": cast("InstrumentedAttribute[object]", PersonRow.updated_at),
    }

    def create(
        self,
        label: str,
        *,
        birth_year: int | None = None,
        sex: Sex | None = None,
        skin_type: int | None = None,
        note: str = "",
    ) -> Person:
        """Record a person; `PersonFields` says what the fields may hold.

        Raises:
            InvalidRecordError: A value is not accepted.
        """
        fields = PersonFields(label=label, birth_year=birth_year, sex=sex, skin_type=skin_type, note=note)
        return self.create_once(new_id(), fields).record

    def create_once(self, person_id: str, fields: PersonFields) -> Creation[Person]:
        """Record a person under an id of the caller's making; asked again with the same content, it changes nothing.

        Raises:
            InvalidRecordError: It is no id.
            RecordConflictError: A person with other content is recorded under it, or it is deleted.
        """
        values = {name: getattr(fields, name) for name in PersonFields.model_fields}
        now = datetime.now(UTC)

        def make(session: Session) -> PersonRow:
            row = PersonRow(id=person_id, created_at=now, updated_at=now, label_key=sort_key(fields.label), **values)
            session.add(row)
            session.flush()
            return row

        def same(row: PersonRow) -> bool:
            return all(getattr(row, name) == value for name, value in values.items())

        return self._create_once(person_id, check=lambda _: None, same=same, make=make)

    def update(self, person_id: str, /, **changes: Unpack[PersonChanges]) -> Person:
        """Change the fields that are given and leave the others as they are.

        Raises:
            RecordNotFoundError: There is no such person.
            InvalidRecordError: A value is not accepted; nothing was changed.
        """
        with self._store.database.write() as session:
            row = self.load_row(session, person_id, lock=True)
            values: dict[str, Any] = {name: getattr(row, name) for name in PersonFields.model_fields}
            values.update(changes)
            fields = PersonFields(**values)
            for name, value in fields.model_dump().items():
                setattr(row, name, value)
            row.label_key = sort_key(fields.label)
            row.updated_at = datetime.now(UTC)
            session.flush()
            return to_person(row)

    def list(
        self,
        *,
        deleted: Deleted = "without",
        sort: PersonSort = "label",
        descending: bool = False,
        offset: int = 0,
        limit: int = 100,
    ) -> Page[Person]:
        """Return a part of the list of people.

        Args:
            deleted: `without`, `only` or `with` the deleted ones.
            sort: Field to sort by; labels without regard to case and accents. Missing values come last.
            descending: Whether to turn the order round.
            offset: Number of people to leave out, 0 or more.
            limit: Most people to return, 1–500.

        Raises:
            InvalidRecordError: A value is not accepted.
        """
        return self._page(select(PersonRow), deleted, sort, descending, offset, limit)

    def _record(self, row: PersonRow) -> Person:
        return to_person(row)

    def _above(self, statement: Select[PersonRow]) -> Select[PersonRow]:
        return statement
