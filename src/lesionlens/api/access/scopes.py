"""What an API key may do.

Few scopes, by what could go wrong: an analysis keeps nothing, reading tells of people, writing changes records, and an
export carries all of them away in one file.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from starlette.types import Scope as RequestScope

__all__ = ["ALL_SCOPES", "Scope", "scope_of_request"]


class Scope(StrEnum):
    """A right that an API key has or has not; none of them implies another."""

    ANALYSE = "analyse"
    """Have photos analysed where that is protected: `/predict` and `/v1/analyses`."""
    READ = "records:read"
    """Read records: lists, photos, comparisons, reports."""
    WRITE = "records:write"
    """Add, change, delete and erase records, import files and have visits analysed."""
    EXPORT = "export"
    """Take everything away in one file: `/v1/export`."""
    METRICS = "metrics"
    """Read `/metrics` where that is protected."""


ALL_SCOPES: Final = frozenset(Scope)
"""What a key may do for which no scopes are named."""

_READING: Final = frozenset({"GET", "HEAD"})
_OF_ROUTES: Final[Mapping[str, Scope]] = {"/v1/export": Scope.EXPORT}


def scope_of_request(request: RequestScope) -> Scope:
    """Return the scope that a request for records needs.

    A route that somebody adds needs `records:read` or, by its method, `records:write`: nothing is open for want of an
    entry here.

    Args:
        request: The ASGI scope of a request whose route has been found.
    """
    special = _OF_ROUTES.get(getattr(request.get("route"), "path", ""))
    if special is not None:
        return special
    return Scope.READ if request["method"] in _READING else Scope.WRITE
