"""Visits."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import ConfigDict, Field

from lesionlens.api.schemas.base import Response
from lesionlens.api.schemas.tracker.base import Id, Kept
from lesionlens.api.schemas.tracker.stored_analysis import STORED_ANALYSIS, StoredAnalysis

__all__ = ["AddedVisit", "StoredPhoto", "Visit"]

_EXAMPLE: Final[dict[str, Any]] = {
    "id": STORED_ANALYSIS["visit_id"],
    "note": "",
    "created_at": "2026-03-01T09:15:06.871204Z",
    "updated_at": "2026-03-01T09:15:06.871204Z",
    "deleted_at": None,
    "lesion_id": "0199c2f5-0b6c-7f18-8e2d-6a9b0c1d2e3f",
    "taken_at": "2026-03-01T10:15:02+01:00",
    "photo": {
        "sha256": "aa67542ebe033603cea7e6d140f83f473fb4a5b7018eb7a434770aea160009cd",
        "media_type": "image/jpeg",
        "width": 256,
        "height": 256,
        "byte_size": 6394,
    },
    "analyses": [STORED_ANALYSIS],
}


class StoredPhoto(Response):
    """A photo, kept as it was sent."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    sha256: str = Field(description="Of the file's bytes, lower-case hexadecimal.")
    media_type: str
    width: int = Field(description="Pixels, upright.")
    height: int = Field(description="Pixels, upright.")
    byte_size: int


class Visit(Kept):
    """A photo of a lesion on a day, with all that models said of it."""

    model_config = ConfigDict(frozen=True, from_attributes=True, json_schema_extra={"examples": [_EXAMPLE]})

    lesion_id: Id
    taken_at: datetime = Field(description="With the UTC offset of the place where it was taken.")
    photo: StoredPhoto
    analyses: list[StoredAnalysis] = Field(description="The oldest first; may be empty.")


class AddedVisit(Visit):
    """A visit that was recorded just now, or before under the same id."""

    model_config = ConfigDict(
        frozen=True, from_attributes=True, json_schema_extra={"examples": [_EXAMPLE | {"not_analysed": None}]}
    )

    not_analysed: str | None = Field(
        description="Why the photo was not analysed although it should have been: the visit is stored all the same, "
        "and `POST /v1/visits/{id}/analyses` tries again. null if it was, or was not to be."
    )
