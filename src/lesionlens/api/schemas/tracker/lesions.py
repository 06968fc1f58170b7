"""Lesions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import ConfigDict, Field

from lesionlens.api.schemas.base import Probability, Response, Share
from lesionlens.api.schemas.tracker.base import Id, Kept
from lesionlens.api.schemas.tracker.visits import Visit

__all__ = ["Due", "LatestAnswer", "Lesion", "Near", "NearLesion", "Timeline"]

_EXAMPLE: Final[dict[str, Any]] = {
    "id": "0199c2f5-0b6c-7f18-8e2d-6a9b0c1d2e3f",
    "person_id": "0199c2f4-7a51-7d3e-9b1a-2f6c8d4e5a70",
    "view": "back",
    "x": 0.41,
    "y": 0.3,
    "site": "left shoulder",
    "note": "",
    "colour": "blue",
    "reminder_months": 3,
    "due_at": "2026-06-01T09:15:02Z",
    "due": False,
    "visit_count": 1,
    "last_visit_at": "2026-03-01T09:15:02Z",
    "created_at": "2026-03-01T09:14:10.550121Z",
    "updated_at": "2026-03-01T09:14:10.550121Z",
    "deleted_at": None,
    "latest": {
        "visit_id": "0199c2f5-8d21-7c04-b3aa-91d2e3f4a5b6",
        "analysis_id": "0199c2f5-9f77-7211-8c3d-0a1b2c3d4e5f",
        "taken_at": "2026-03-01T10:15:02+01:00",
        "malignant_probability": 0.031,
        "prediction": "NV",
        "suitable": True,
        "reached": [],
        "model": "lite2",
        "version": "1.1.0",
    },
}


class LatestAnswer(Response):
    """The newest analysis of the latest photo that has one."""

    visit_id: Id
    analysis_id: Id
    taken_at: datetime
    malignant_probability: Probability = Field(description="Sum over MEL, BCC, AKIEC and SCC.")
    prediction: str = Field(description="Code of the diagnosis, or NOT_CONFIDENT.")
    suitable: bool | None = Field(description="false: do not rely on it. null where it was not judged.")
    reached: list[str] = Field(
        description="Names of the operating points that the malignant probability reached; empty for another model "
        "than the one that is running, whose points are not known."
    )
    model: str
    version: str


class Lesion(Kept):
    """A lesion, pinned to a place on the body."""

    model_config = ConfigDict(frozen=True, from_attributes=True, json_schema_extra={"examples": [_EXAMPLE]})

    person_id: Id
    view: str = Field(description="Body map that it is pinned to.")
    x: Share = Field(description="Place from the map's left edge, as a share of its width.")
    y: Share = Field(description="Place from the map's top edge, as a share of its height.")
    site: str = Field(description="Name of the place; may be empty.")
    colour: str | None = Field(description="Tag, or null.")
    reminder_months: int | None = Field(description="Months after the latest visit at which the next photo is due.")
    due_at: datetime | None = Field(description="When the next photo is due; null without a reminder.")
    due: bool = Field(description="Whether that is now or past.")
    visit_count: int = Field(description="Visits that are not deleted.")
    last_visit_at: datetime | None
    latest: LatestAnswer | None = Field(description="null while no photo has been analysed.")


class NearLesion(Response):
    """A lesion near a place on the body map."""

    lesion: Lesion
    distance: float = Field(ge=0.0, description="As a share of the map's width.")


class Near(Response):
    """Lesions near a place, the nearest first."""

    items: list[NearLesion]


class Due(Response):
    """Lesions whose next photo is due, the longest overdue first."""

    items: list[Lesion]


class Timeline(Response):
    """A lesion and its visits."""

    lesion: Lesion
    visits: list[Visit] = Field(description="The earliest photo first.")
