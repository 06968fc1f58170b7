"""How the reference tells of failures."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from lesionlens.api.openapi import PROBLEM_CONTENT
from lesionlens.api.problems import (
    ACCESS_REFUSED,
    ACCESS_REQUIRED,
    INVALID_PARAMETER,
    INVALID_RECORD,
    NOT_FOUND,
    OVERLOADED,
    SCOPE_MISSING,
    STORE_FAILED,
    TRACKER_OFF,
    ProblemType,
)

__all__ = ["failures", "recorded_before"]

_EVERYWHERE: Final = (
    ACCESS_REQUIRED,
    ACCESS_REFUSED,
    SCOPE_MISSING,
    NOT_FOUND,
    INVALID_PARAMETER,
    INVALID_RECORD,
    STORE_FAILED,
    OVERLOADED,
    TRACKER_OFF,
)


def recorded_before(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's description of the answer to a request that was sent before, under the same id."""
    return {200: {"model": model, "description": "Recorded before under this id, with the same content."}}


def failures(*others: ProblemType) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's descriptions of the ways in which a route of the tracker can fail.

    Args:
        *others: Problems that not every route of the tracker knows.
    """
    by_status: dict[int | str, dict[str, Any]] = {}
    for problem in sorted((*_EVERYWHERE, *others), key=lambda problem: problem.status):
        told = by_status.setdefault(problem.status, {"description": "", **PROBLEM_CONTENT})
        told["description"] = f"{told['description']}; `{problem.slug}`: {problem.title}".removeprefix("; ")
    return by_status
