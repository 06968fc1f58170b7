"""How the tracker is."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ConfigDict, Field

from lesionlens.api.examples import ANALYSIS
from lesionlens.api.schemas.base import Response

__all__ = ["AccessInfo", "CountsInfo", "ModelName", "TrackerStatus"]

_EXAMPLE: Final[dict[str, Any]] = {
    "enabled": True,
    "reason": None,
    "access": {"required": False, "granted": True, "password": False},
    "model": {name: ANALYSIS["model"][name] for name in ("name", "version", "sha256")},
    "counts": {
        "people": 1,
        "lesions": 3,
        "visits": 7,
        "analyses": 9,
        "photos": 7,
        "photo_bytes": 21594817,
        "deleted": 0,
    },
}


class AccessInfo(Response):
    """How the client stands."""

    required: bool = Field(description="Whether it needs a password or an API key.")
    granted: bool = Field(description="Whether it may use the records as it is.")
    password: bool = Field(description="Whether one can log in by `POST /v1/session`.")


class ModelName(Response):
    """The running model."""

    name: str
    version: str
    sha256: str = Field(description="SHA-256 of the graph, lower-case hexadecimal.")


class CountsInfo(Response):
    """How much is stored, deleted records included until they are erased."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    people: int
    lesions: int
    visits: int
    analyses: int
    photos: int
    photo_bytes: int
    deleted: int = Field(description="People, lesions and visits that are deleted and can be undeleted.")


class TrackerStatus(Response):
    """Whether the tracker can be used, and by whom."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

    enabled: bool
    reason: str | None = Field(description="Why it is off, and how it is turned on; null while it is on.")
    access: AccessInfo
    model: ModelName
    counts: CountsInfo | None = Field(description="null unless the tracker is on and access is granted.")
