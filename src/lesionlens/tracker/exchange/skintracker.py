"""The browser storage of the SkinTracker app, as something to import.

Its JSON is `{"moles": [{"id", "location": {"x", "y"}, "records": [{"id", "image", "date", "prediction",
"maxConfidence", "probabilities", "gradcam"}]}]}`, bare, or under `state` as the library that stores it (zustand) writes
it. Places are percents of a body map, `image` is a data URL, and the probabilities are those of `POST /predict`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lesionlens.errors import ExchangeFileError
from lesionlens.tracker.exchange.documents import LesionDocument, PersonDocument, VisitDocument
from lesionlens.tracker.exchange.items import Compared, Item, Photographed
from lesionlens.tracker.exchange.outcome import Skipped
from lesionlens.tracker.exchange.skintracker_record import NAMESPACE, NO_KEY, read_key, read_moment, read_record

__all__ = ["JSON_LIMIT", "SkinTrackerStorage"]

JSON_LIMIT: Final = 256 * 1024 * 1024
"""Largest file in bytes, since it is read as a whole; browsers give an app a small part of that."""

_VIEW: Final = "front"
_FIRST_YEAR: Final = 1900
_ACCEPTED: Final = 'accepted: its browser storage as JSON, {"state": {"moles": […]}}, or {"moles": […]}'
_NOTE: Final = "Imported from the SkinTracker app."


# The app knows where a mole is and when a photo was taken; all the rest may have been edited here since. What was
# deleted here must be told, or the import would seem to have brought nothing.
_KNOWN: Final[Compared] = {
    PersonDocument: frozenset({"deleted_at"}),
    LesionDocument: frozenset({"person_id", "view", "x", "y", "deleted_at"}),
    VisitDocument: frozenset({"lesion_id", "taken_at", "photo", "deleted_at"}),
}


@dataclass(frozen=True, slots=True)
class _Mole:
    called: str
    lesion: LesionDocument
    records: list[Any]


class SkinTrackerStorage:
    """The moles of one person.

    Ids follow from the app's own and the person's, so importing the same file again adds nothing, and importing a later
    one adds what is new.

    Args:
        data: The file.
        person_id: Whose moles they are; None for a new person named SkinTracker.

    Raises:
        ExchangeFileError: It is not such a file.
    """

    compared: Compared = _KNOWN

    def __init__(self, data: bytes, person_id: str | None = None) -> None:
        self._moles = _moles(data)
        self._new_person = person_id is None
        self._person_id = person_id or str(uuid.uuid5(NAMESPACE, "person"))
        self._now = datetime.now(UTC)
        self.visits = sum(len(mole["records"]) for mole in self._moles if _has_records(mole))

    def items(self) -> Iterator[Item]:
        """Yield the person, the moles, then their records; what cannot be used comes with the reason."""
        if self._new_person:
            yield self._person()
        kept = []
        for number, given in enumerate(self._moles, start=1):
            mole = self._mole(given, number)
            if isinstance(mole, Skipped):
                yield mole
            else:
                kept.append(mole)
                yield mole.lesion
        for mole in kept:
            seen: set[str] = set()
            for number, record in enumerate(mole.records, start=1):
                item = read_record(record, mole.lesion.id, f"{mole.called}, record {number}")
                if isinstance(item, Photographed):
                    if item.visit.id in seen:
                        yield Skipped(item.called, "another record of this mole has the same id")
                        continue
                    seen.add(item.visit.id)
                yield item

    def _person(self) -> PersonDocument:
        return PersonDocument(
            id=self._person_id,
            label="SkinTracker",
            birth_year=None,
            sex=None,
            skin_type=None,
            note=_NOTE,
            created_at=self._now,
            updated_at=self._now,
            deleted_at=None,
        )

    def _mole(self, mole: Any, number: int) -> _Mole | Skipped:
        called = f"mole {number}"
        if not isinstance(mole, dict):
            return Skipped(called, "it is no object")
        key = read_key(mole)
        if key is None:
            return Skipped(called, NO_KEY)
        called = f"mole {key[:60]!r}"
        try:
            x, y = (_share(mole.get("location"), axis) for axis in ("x", "y"))
        except ValueError as error:
            return Skipped(called, str(error))
        if not _has_records(mole):
            return Skipped(called, "it has no list of records")
        dates = [read_moment(record.get("date")) for record in mole["records"] if isinstance(record, dict)]
        possible = [date for date in dates if date is not None and date.year >= _FIRST_YEAR and date <= self._now]
        lesion = LesionDocument(
            id=str(uuid.uuid5(uuid.UUID(self._person_id), f"mole:{key}")),
            person_id=self._person_id,
            view=_VIEW,
            x=x,
            y=y,
            site="",
            note=_NOTE,
            colour=None,
            reminder_months=None,
            created_at=min(possible, default=self._now),
            updated_at=self._now,
            deleted_at=None,
        )
        return _Mole(called, lesion, mole["records"])


def _has_records(mole: Any) -> bool:
    return isinstance(mole, dict) and isinstance(mole.get("records"), list)


def _share(location: Any, axis: str) -> float:
    value = location.get(axis) if isinstance(location, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise ValueError(f"location.{axis} is {str(value)[:40]!r}; accepted: a number of percents, 0–100")
    return value / 100


def _moles(data: bytes) -> list[Any]:
    try:
        # Python's own reader also takes NaN, which no JSON has.
        content = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ExchangeFileError(
            f"the file is neither a ZIP nor JSON ({str(error)[:100]}); accepted: an export of LesionLens, or the "
            "browser storage of the SkinTracker app as JSON"
        ) from error
    if isinstance(content, dict) and isinstance(content.get("state"), dict):
        content = content["state"]
    moles = content.get("moles") if isinstance(content, dict) else None
    if not isinstance(moles, list):
        raise ExchangeFileError(
            f"the JSON file is no storage of the SkinTracker app: it has no list of moles; {_ACCEPTED}"
        )
    return moles


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
