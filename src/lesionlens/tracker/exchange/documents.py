"""What an export holds of each record: the schema of its JSON files.

One file describes one person, one lesion or one visit, and holds all that the store knows of it: ids, all times,
numbers to the last digit, class maps to the last bit. These classes check form and types alone; what a field may say is
checked on the way into a store, by the rules that hold there (`lesionlens.tracker.fields`, `…analyses`).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

from lesionlens.taxonomy import NUM_CLASSES
from lesionlens.tracker.analyses import MAP_DTYPE, NewAnalysis
from lesionlens.tracker.fields import LesionFields, PersonFields, VisitFields
from lesionlens.tracker.ids import is_hash, is_id

__all__ = [
    "AnalysisDocument",
    "Document",
    "LesionDocument",
    "MapsDocument",
    "PersonDocument",
    "PhotoDocument",
    "VisitDocument",
    "as_json",
    "problem_in_words",
]

_MAX_MAP_SIDE: Final = 4096  # far above any network's, and within the database's small integers


def _an_id(text: str) -> str:
    if not is_id(text):
        raise ValueError("not a lower-case UUID")
    return text


def _a_hash(text: str) -> str:
    if not is_hash(text):
        raise ValueError("not 64 lower-case hexadecimal digits")
    return text


def _within_calendars(moment: datetime) -> datetime:
    # Converting to UTC must not leave the years 1–9999, and no record is older than photography.
    if not 1800 <= moment.year <= 9000:
        raise ValueError("the year is out of range")
    return moment


Id = Annotated[str, AfterValidator(_an_id)]
Hash = Annotated[str, AfterValidator(_a_hash)]
Moment = Annotated[AwareDatetime, AfterValidator(_within_calendars), PlainSerializer(datetime.isoformat)]
"""A time with its UTC offset, to the microsecond (RFC 3339)."""


class Document(BaseModel):
    """Base of the documents: strict about types, closed to unknown members, unchangeable."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a document from the bytes of a JSON file.

        Raises:
            ValueError: It is no JSON, or not such a document; the message says where.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            raise ValueError(problem_in_words(error)) from error

    def plain(self) -> dict[str, Any]:
        """Return the document as JSON values."""
        return self.model_dump(mode="json")


class _Kept(Document):
    id: Id
    created_at: Moment
    updated_at: Moment
    deleted_at: Moment | None


class PersonDocument(_Kept):
    """A person; `PersonFields` says what the fields may hold."""

    label: str
    birth_year: int | None
    sex: str | None
    skin_type: int | None
    note: str

    def checked(self) -> Self:
        """Return it as a store accepts it.

        Raises:
            InvalidRecordError: A value is not accepted.
        """
        return self.model_copy(update=_checked(self, PersonFields))


class LesionDocument(_Kept):
    """A lesion; `LesionFields` says what the fields may hold."""

    person_id: Id
    view: str
    x: float
    y: float
    site: str
    note: str
    colour: str | None
    reminder_months: int | None

    def checked(self) -> Self:
        """Return it as a store accepts it.

        Raises:
            InvalidRecordError: A value is not accepted.
        """
        return self.model_copy(update=_checked(self, LesionFields))


class PhotoDocument(Document):
    """A photo file, named by the SHA-256 of its bytes.

    Attributes:
        created_at: When the store first kept it.
    """

    sha256: Hash
    media_type: str
    width: int
    height: int
    byte_size: int
    created_at: Moment


class MapsDocument(Document):
    """The Grad-CAM maps of all eight diagnoses.

    Attributes:
        values: Base64 of little-endian float32 `[8, height, width]` in C order, as the network gave them.
    """

    height: int = Field(ge=1, le=_MAX_MAP_SIDE)
    width: int = Field(ge=1, le=_MAX_MAP_SIDE)
    values: str

    @classmethod
    def of(cls, data: bytes, height: int, width: int) -> Self:
        """Make one from the bytes of a database."""
        return cls(height=height, width=width, values=base64.b64encode(data).decode("ascii"))

    def array(self) -> npt.NDArray[np.float32]:
        """Return the maps: float32 `[8, height, width]`.

        Raises:
            ValueError: The text is no base64, or has not as many bytes as the sides say.
        """
        try:
            data = base64.b64decode(self.values, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"maps: the values are no base64 ({error})") from error
        shape = (NUM_CLASSES, self.height, self.width)
        wanted = NUM_CLASSES * self.height * self.width * MAP_DTYPE.itemsize
        if len(data) != wanted:
            raise ValueError(f"maps: {len(data)} bytes where {shape} float32 values take {wanted}")
        return np.frombuffer(data, dtype=MAP_DTYPE).reshape(shape).astype(np.float32)


class AnalysisDocument(Document):
    """What a model said of a visit's photo; `NewAnalysis` says what the fields hold."""

    id: Id
    model: str
    version: str
    graph_sha256: Hash
    engine: str
    prediction: int
    probabilities: tuple[float, ...]
    logits: tuple[float, ...]
    malignant_probability: float
    seen_box: tuple[float, float, float, float] | None
    prediction_set: tuple[int, ...] | None
    suitability: dict[str, Any] | None
    quality: dict[str, Any] | None
    maps: MapsDocument | None
    created_at: Moment

    def checked(self) -> NewAnalysis:
        """Return it as a store accepts it.

        Raises:
            InvalidRecordError: A value is not accepted.
            ValueError: The maps have not the size that they say.
        """
        values = {name: getattr(self, name) for name in NewAnalysis.model_fields if name != "maps"}
        return NewAnalysis(**values, maps=None if self.maps is None else self.maps.array())


class VisitDocument(_Kept):
    """A visit with its photo and all that models said of it, the oldest first.

    Attributes:
        taken_at: When the photo was taken, with the UTC offset that was given.
    """

    lesion_id: Id
    taken_at: Moment
    note: str
    photo: PhotoDocument
    analyses: tuple[AnalysisDocument, ...]

    def checked(self) -> Self:
        """Return it as a store accepts it; its analyses are checked one by one, since one may go in without another.

        Raises:
            InvalidRecordError: A value is not accepted.
        """
        return self.model_copy(update=_checked(self, VisitFields))


def as_json(document: Document) -> bytes:
    """Return the bytes of a document's file: UTF-8, members in a fixed order, floats in the shortest exact form."""
    text = json.dumps(document.plain(), ensure_ascii=False, indent=2, allow_nan=False)
    return f"{text}\n".encode()


def problem_in_words(error: ValidationError) -> str:
    """Return the first thing that is wrong with a document, and where; untrusted values are not repeated."""
    first: Sequence[Any] = error.errors(include_url=False, include_context=False, include_input=False)
    place = ".".join(str(part) for part in first[0]["loc"])
    what = first[0]["msg"]
    more = f" (and {len(first) - 1} more)" if len(first) > 1 else ""
    return f"{place[:120]}: {what[:200]}{more}" if place else f"{what[:200]}{more}"


def _checked(document: Document, fields: type[PersonFields | LesionFields | VisitFields]) -> dict[str, Any]:
    return fields(**{name: getattr(document, name) for name in fields.model_fields}).model_dump()
