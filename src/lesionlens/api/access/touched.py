"""Which records a request has read or changed, collected while it is answered.

What the tracker returns passes here on its way to the routes (`TrackerState.run`), so a route that somebody adds is
told of without doing anything for it. A lesion counts with its person, and a visit with its lesion. Ids of records, and
nothing else of them, are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from starlette.types import Scope

__all__ = ["Touched", "collecting", "touch"]

T = TypeVar("T")
_KINDS: Final[Mapping[str, str]] = {
    "person_id": "people",
    "lesion_id": "lesions",
    "visit_id": "visits",
    "analysis_id": "analyses",
    "before": "visits",
    "after": "visits",
}
_COLLECTED: ContextVar[Touched | None] = ContextVar("touched_records", default=None)


class Touched:
    """Ids of records by their kind: `people`, `lesions`, `visits` and `analyses`."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, None]] = {}  # ordered, and each id once

    def add(self, kind: str, record_id: str) -> None:
        """Add a record. Whatever has not the form of an id is left out: anybody may write a name where one belongs."""
        from lesionlens.tracker.ids import is_id

        if is_id(record_id):
            self._ids.setdefault(kind, {})[record_id] = None

    def add_named(self, request: Scope) -> None:
        """Add the records that a request names in its path and its query.

        Args:
            request: Its ASGI scope, after its route has been found.
        """
        query = parse_qsl(request.get("query_string", b"").decode("latin-1"))
        for name, value in (*request.get("path_params", {}).items(), *query):
            if name in _KINDS:
                self.add(_KINDS[name], str(value))

    def add_made(self, location: str) -> None:
        """Add the record that an answer's header `Location` names, `/v1/KIND/ID`."""
        _, _, kind, record_id = location.split("/", 3)
        self.add(kind, record_id)

    def as_dict(self) -> dict[str, list[str]]:
        """Return the ids by kind, in the order in which they were touched."""
        return {kind: list(ids) for kind, ids in self._ids.items()}


@contextmanager
def collecting() -> Iterator[Touched]:
    """Collect what is touched while the block runs, in all tasks and threads that it starts."""
    touched = Touched()
    token = _COLLECTED.set(touched)
    try:
        yield touched
    finally:
        _COLLECTED.reset(token)


def touch(result: T) -> T:
    """Note the records in what the tracker has returned, and return the same."""
    touched = _COLLECTED.get()
    if touched is not None:
        for kind, record_id in _records_in(result):
            touched.add(kind, record_id)
    return result


def _records_in(result: object) -> Iterable[tuple[str, str]]:
    # Imported when records are there already, for without the tracker none of it is loaded.
    from lesionlens.tracker.creation import Creation
    from lesionlens.tracker.records import Lesion, Neighbour, Page, Person, StoredAnalysis, Timeline, Visit

    match result:
        case Person(id=record_id):
            yield "people", record_id
        case Lesion(id=record_id, person_id=person_id):
            yield "lesions", record_id
            yield "people", person_id
        case Visit(id=record_id, lesion_id=lesion_id):
            yield "visits", record_id
            yield "lesions", lesion_id
        case StoredAnalysis(id=record_id):
            yield "analyses", record_id
        case Creation(record=record):
            yield from _records_in(record)
        case Neighbour(lesion=lesion):
            yield from _records_in(lesion)
        case Timeline(lesion=lesion, visits=visits):
            yield from _records_in(lesion)
            yield from _records_in(visits)
        case Page(items=items):
            yield from _records_in(items)
        case list() | tuple():
            for item in result:
                yield from _records_in(item)
        case _:
            return
