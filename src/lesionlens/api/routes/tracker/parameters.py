"""Query parameters of the tracker's routes. An unknown one is refused: a slip must not widen what is asked for."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from lesionlens.api.problems import INVALID_PARAMETER, RequestError
from lesionlens.tracker.fields import View
from lesionlens.tracker.ids import HASH_PATTERN
from lesionlens.tracker.lesions import LesionSort
from lesionlens.tracker.people import PersonSort
from lesionlens.tracker.repository import MAX_LIMIT, Deleted
from lesionlens.tracker.visits import VisitSort

__all__ = [
    "DueParameters",
    "LesionParameters",
    "ListParameters",
    "MapParameters",
    "NearParameters",
    "PairParameters",
    "PersonParameters",
    "PhotoParameters",
    "PictureParameters",
    "VisitParameters",
]

Side = Annotated[int, Field(ge=64, le=2048)]

# For the API's description: the records themselves refuse other values, in words of their own.
_SHARE: Final[JsonDict] = {"minimum": 0, "maximum": 1}
_ABOVE_0: Final[JsonDict] = {"exclusiveMinimum": 0}


class Parameters(BaseModel):
    """The parameters of a route, closed to others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _only_known(cls, values: Any) -> Any:
        unknown = [name for name in values if name not in cls.model_fields]
        if unknown:
            known = ", ".join(cls.model_fields)
            raise RequestError(INVALID_PARAMETER, f"There is no parameter {unknown[0][:60]!r} here; known: {known}.")
        return values


class ListParameters(Parameters):
    """Which part of a list."""

    deleted: Deleted = Field("without", description="`without` or `with` the deleted ones, or `only` these.")
    offset: int = Field(0, ge=0, le=2**31 - 1, description="Number of records to leave out.")
    limit: int = Field(100, ge=1, le=MAX_LIMIT, description="Most records to give.")


class PersonParameters(ListParameters):
    """Which people, in which order."""

    sort: PersonSort = Field("label", description="Labels go without regard to case and accents.")
    descending: bool = False


class LesionParameters(ListParameters):
    """Which lesions, in which order."""

    person_id: str | None = Field(None, description="Whose; everybody's without it.")
    view: View | None = Field(None, description="On which body map; all without it.")
    sort: LesionSort = "created_at"
    descending: bool = False


class VisitParameters(ListParameters):
    """Which visits, in which order."""

    lesion_id: str | None = Field(None, description="Of which lesion; all without it.")
    person_id: str | None = Field(None, description="Of whose lesions; everybody's without it.")
    not_analysed_by: str | None = Field(
        None,
        description="SHA-256 of a model's graph: only visits that it has not analysed yet.",
        json_schema_extra={"pattern": HASH_PATTERN},
    )
    sort: VisitSort = "taken_at"
    descending: bool = True


class NearParameters(Parameters):
    """A place on a body map."""

    person_id: str
    view: View
    x: float = Field(description="From the map's left edge, as a share of its width, 0–1.", json_schema_extra=_SHARE)
    y: float = Field(description="From the map's top edge, as a share of its height, 0–1.", json_schema_extra=_SHARE)
    radius: float = Field(
        0.05, description="Largest distance, as a share of the map's width.", json_schema_extra=_ABOVE_0
    )
    aspect: float = Field(1.0, description="Height of the map divided by its width.", json_schema_extra=_ABOVE_0)


class DueParameters(Parameters):
    """How far ahead to look."""

    person_id: str | None = Field(None, description="Whose; everybody's without it.")
    within_days: int = Field(0, ge=0, le=3650)


class PhotoParameters(Parameters):
    """How large a photo is wanted."""

    side: Side | None = Field(None, description="Longest side in pixels; without it the file as it was sent.")


class MapParameters(Parameters):
    """Which maps."""

    maps: str = Field("all", description="`all`, `top`, or class codes with commas between them.")


class PairParameters(Parameters):
    """Two visits."""

    before: str = Field(description="Id of the earlier visit.")
    after: str = Field(description="Id of the later visit.")


class PictureParameters(PairParameters):
    """A picture of a comparison."""

    which: Literal["before", "after", "aligned", "blended"]
    side: Side = Field(1024, description="Longest side in pixels; no picture has more than 1024.")
