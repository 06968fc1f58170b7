"""People."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ConfigDict, Field

from lesionlens.api.schemas.base import Response
from lesionlens.api.schemas.tracker.base import Kept

__all__ = ["Erased", "Person"]

_EXAMPLE: Final[dict[str, Any]] = {
    "id": "0199c2f4-7a51-7d3e-9b1a-2f6c8d4e5a70",
    "label": "Ada",
    "birth_year": 1980,
    "sex": "female",
    "skin_type": 2,
    "note": "",
    "lesion_count": 3,
    "created_at": "2026-03-01T09:12:44.102938Z",
    "updated_at": "2026-03-01T09:12:44.102938Z",
    "deleted_at": None,
}

_ERASED: Final[dict[str, Any]] = {"people": 0, "lesions": 1, "visits": 3, "analyses": 4, "photos": 3}


class Person(Kept):
    """A person whose lesions are tracked; no name is needed."""

    model_config = ConfigDict(frozen=True, from_attributes=True, json_schema_extra={"examples": [_EXAMPLE]})

    label: str = Field(description="What the person is called in lists.")
    birth_year: int | None
    sex: str | None = Field(description="`female`, `male`, `other`, or null.")
    skin_type: int | None = Field(description="Fitzpatrick skin type I–VI as 1–6, or null.")
    lesion_count: int = Field(description="Lesions that are not deleted.")


class Erased(Response):
    """How much was removed for good."""

    model_config = ConfigDict(frozen=True, from_attributes=True, json_schema_extra={"examples": [_ERASED]})

    people: int
    lesions: int
    visits: int
    analyses: int
    photos: int = Field(description="Photo files that no other visit shows.")
