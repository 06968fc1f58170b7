"""What comes out of the store: plain, unchangeable values that know nothing of the database."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

__all__ = [
    "Counts",
    "Erased",
    "Lesion",
    "Neighbour",
    "Page",
    "Person",
    "Photo",
    "StoredAnalysis",
    "Timeline",
    "Visit",
    "months_later",
]

T = TypeVar("T")


def months_later(moment: datetime, months: int) -> datetime:
    """Return the same day and time some months later, or the month's last day where it has no such day.

    Args:
        moment: Any time.
        months: At least 0.
    """
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last_day = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))


@dataclass(frozen=True, slots=True)
class Person:
    """A person whose lesions are tracked; `PersonFields` says what the fields may hold.

    Attributes:
        lesion_count: Lesions that are not deleted.
        deleted_at: Set while the person is deleted and can be undeleted.
    """

    id: str
    label: str
    birth_year: int | None
    sex: str | None
    skin_type: int | None
    note: str
    lesion_count: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lesion:
    """A lesion pinned to a place on the body; `LesionFields` says what the fields may hold.

    Attributes:
        visit_count: Visits that are not deleted.
        last_visit_at: When the latest of their photos was taken (UTC); None without any.
        deleted_at: Set while the lesion itself is deleted and can be undeleted.
    """

    id: str
    person_id: str
    view: str
    x: float
    y: float
    site: str
    note: str
    colour: str | None
    reminder_months: int | None
    visit_count: int
    last_visit_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def due_at(self) -> datetime | None:
        """When the next photo is due: `reminder_months` after the latest, or after the lesion was recorded."""
        if self.reminder_months is None:
            return None
        return months_later(self.last_visit_at or self.created_at, self.reminder_months)


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it was sent, stored once whatever number of visits show it.

    Attributes:
        sha256: Of the file's bytes, lower-case hexadecimal; names the photo.
        media_type: `image/jpeg`, `image/png`, `image/webp`, `image/bmp` or `image/tiff`.
        width: In pixels, upright.
        height: In pixels, upright.
        byte_size: Length of the file in bytes.
    """

    sha256: str
    media_type: str
    width: int
    height: int
    byte_size: int


@dataclass(frozen=True, slots=True)
class StoredAnalysis:
    """What a model said of a visit's photo; `NewAnalysis` says what the fields hold.

    Attributes:
        maps_shape: `(8, h, w)` of the Grad-CAM maps that `Visits.maps` returns; None if none were stored.
    """

    id: str
    visit_id: str
    model: str
    version: str
    graph_sha256: str
    engine: str
    prediction: int
    probabilities: tuple[float, ...]
    logits: tuple[float, ...]
    malignant_probability: float
    seen_box: tuple[float, float, float, float] | None
    prediction_set: tuple[int, ...] | None
    suitability: dict[str, Any] | None
    quality: dict[str, Any] | None
    maps_shape: tuple[int, int, int] | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A photo of a lesion on a day, with all that models said of it.

    Attributes:
        taken_at: When the photo was taken, with the UTC offset that was given.
        analyses: By age, the oldest first; a visit may have none.
        created_at: When the visit was recorded (UTC).
        deleted_at: Set while the visit itself is deleted and can be undeleted.
    """

    id: str
    lesion_id: str
    taken_at: datetime
    note: str
    photo: Photo
    analyses: tuple[StoredAnalysis, ...]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def latest(self) -> StoredAnalysis | None:
        """The newest analysis; None without any."""
        return self.analyses[-1] if self.analyses else None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A lesion and its visits, the earliest photo first."""

    lesion: Lesion
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A lesion near a place on the body map.

    Attributes:
        distance: From that place, as a share of the map's width.
    """

    lesion: Lesion
    distance: float


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a sorted list.

    Attributes:
        items: The records of this page.
        total: Length of the whole list, counted in the same moment.
        offset: Number of records before this page.
        limit: Most records that the page may hold.
    """

    items: tuple[T, ...]
    total: int
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is stored, deleted records included until they are erased.

    Attributes:
        photo_bytes: Summed size of the photo files.
        deleted: People, lesions and visits that are themselves deleted and can be undeleted.
    """

    people: int
    lesions: int
    visits: int
    analyses: int
    photos: int
    photo_bytes: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was removed for good.

    Attributes:
        photos: Photo files that no other visit shows.
    """

    people: int = 0
    lesions: int = 0
    visits: int = 0
    analyses: int = 0
    photos: int = 0

    def __add__(self, other: Erased) -> Erased:
        """Return the sums."""
        return Erased(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))
