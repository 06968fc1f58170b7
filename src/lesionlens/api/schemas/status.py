"""Failures, and how the service is."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from lesionlens.api.examples import PROBLEM
from lesionlens.api.schemas.base import Response

__all__ = ["Problem", "ProblemInfo", "Status"]


class Problem(Response):
    """A failure (RFC 9457)."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [PROBLEM]})

    type: str = Field(description="Path of the problem's description.")
    title: str
    status: int
    detail: str = Field(description="What was wrong this time and what is accepted.")
    instance: str = Field(description="Path of the request.")
    request_id: str = ""
    errors: list[dict[str, str]] | None = Field(None, description="With `invalid-parameter`: each parameter.")


class ProblemInfo(Response):
    """What a kind of failure means."""

    type: str
    title: str
    status: int
    description: str


class Status(Response):
    """How the service is."""

    status: str
