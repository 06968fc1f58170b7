"""The header `WWW-Authenticate`: what RFC 9110 wants with a 401, in the words of RFC 6750.

Browsers open no window for it. RFC 6750, section 3.1: no error is told to a request that named no key; a wrong or ended
key is an `invalid_token`; and one that may not do this is told which scope it lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lesionlens.api.access.scopes import Scope

__all__ = ["INVALID_KEY", "NOBODY", "for_scope"]

_HEADER: Final = "WWW-Authenticate"
_REALM: Final = 'Bearer realm="LesionLens"'

NOBODY: Final[Mapping[str, str]] = {_HEADER: _REALM}
"""For a request without a key, or with a wrong password."""
INVALID_KEY: Final[Mapping[str, str]] = {_HEADER: f'{_REALM}, error="invalid_token"'}
"""For a request with a key that is not known, or has ended."""


def for_scope(scope: Scope) -> Mapping[str, str]:
    """Return the header for a key that lacks a scope."""
    return {_HEADER: f'{_REALM}, error="insufficient_scope", scope="{scope}"'}
