"""Which routes may be called by pages of other origins: those that keep nothing and tell of no person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from lesionlens.api.errors import CONTRACT_PATHS

__all__ = ["OpenCorsMiddleware"]

_OPEN: Final = CONTRACT_PATHS | {
    "/v1/analyses",
    "/v1/model",
    "/v1/model/card",
    "/v1/classes",
    "/v1/problems",
    "/openapi.json",
    "/livez",
    "/readyz",
}
_OPEN_BELOW: Final = ("/v1/problems/",)


class OpenCorsMiddleware:
    """Answers pages of other origins on the open routes, and says nothing to them on all others.

    A list of what is open, not of what is closed: a route that somebody adds is closed until it is listed here.

    Args:
        app: What answers.
        origins: Origins whose pages may call; `*` for all.
        expose_headers: Headers of the answers that those pages may read.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str], expose_headers: Sequence[str]) -> None:
        self._closed = app
        self._open = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["*"],
            expose_headers=expose_headers,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        path = scope.get("path", "")
        is_open = path in _OPEN or path.startswith(_OPEN_BELOW)
        await (self._open if is_open else self._closed)(scope, receive, send)
