"""What the files that can be imported come down to: a stream of records, people first, then lesions, then visits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from lesionlens.tracker.exchange.documents import LesionDocument, PersonDocument, VisitDocument
from lesionlens.tracker.exchange.outcome import Skipped

__all__ = ["EVERYTHING", "Compared", "Item", "Photographed", "Source"]


@dataclass(frozen=True, slots=True)
class Photographed:
    """A visit, and how to come by its photo.

    Attributes:
        visit: The visit.
        photo: Returns the photo's bytes; raises `ValueError` with the reason if there are none.
        called: Names the visit in messages.
        remarks: What could not be taken over of it.
    """

    visit: VisitDocument
    photo: Callable[[], bytes]
    called: str
    remarks: tuple[Skipped, ...] = ()


Item = PersonDocument | LesionDocument | Photographed | Skipped
"""One step of an import."""

Compared = Mapping[type, frozenset[str]]
"""Fields by document whose difference from a stored record of the same id is told."""

EVERYTHING: Final[Compared] = {
    kind: frozenset(kind.model_fields) - {"id", "analyses"} for kind in (PersonDocument, LesionDocument, VisitDocument)
}


class Source(Protocol):
    """A file that can be imported.

    Attributes:
        compared: Which fields it knows well enough to compare.
        visits: How many visits it holds.
    """

    compared: Compared
    visits: int

    def items(self) -> Iterator[Item]:
        """Yield its records: each after what it belongs to."""
        ...
