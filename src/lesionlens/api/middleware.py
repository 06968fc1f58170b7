"""What every request gets: an id, security headers, a log line, a count, and HEAD wherever there is GET."""

from __future__ import annotations

import re
import time
import uuid
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lesionlens.api.errors import CLIENT_CLOSED_REQUEST
from lesionlens.api.metrics import Metrics
from lesionlens.api.security_headers import security_headers
from lesionlens.api.tracing import Tracing, trace_request

__all__ = ["REQUEST_ID_HEADER", "RequestMiddleware"]

REQUEST_ID_HEADER: Final = "X-Request-ID"
_USABLE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")

# Answers about a person's skin belong in nobody's cache; files of the page may be kept if they are checked.
_DEFAULT_CACHING: Final = "no-store"


class RequestMiddleware:
    """The outermost layer.

    Args:
        app: What answers.
        metrics: Where requests are counted.
        tracing: Where they are traced; None for nowhere.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._tracing = tracing
        self._log = structlog.stdlib.get_logger("lesionlens.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and account for it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope))
        is_head = scope["method"] == "HEAD"
        # A copy: the server must still know of HEAD, and the router writes the route that it found into it.
        inner: Scope = {**scope, "method": "GET" if is_head else scope["method"]}
        inner["state"] = {**scope.get("state", {}), "request_id": request_id}
        status = CLIENT_CLOSED_REQUEST  # unless an answer begins
        begun = time.perf_counter()

        async def respond(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = request_id
                headers.setdefault("Cache-Control", _DEFAULT_CACHING)
                for name, value in security_headers(scope):
                    headers.setdefault(name, value)
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            trace_request(self._tracing, scope, request_id) as tell,
        ):
            try:
                await self._app(inner, receive, respond)
            finally:
                seconds = time.perf_counter() - begun
                route = _pattern(inner)
                self._metrics.requested(scope["method"], route, status, seconds)
                tell(route, status)
                log = self._log.debug if route in _QUIET else self._log.info
                log("answered", method=scope["method"], route=route, status=status, ms=round(1000 * seconds, 1))


_QUIET: Final = frozenset({"/livez", "/readyz", "/health", "/metrics"})


def _request_id(headers: Headers) -> str:
    """Take the client's or a proxy's id if it is harmless in a log, else make one."""
    given = headers.get(REQUEST_ID_HEADER, "")
    return given if _USABLE_ID.fullmatch(given) else uuid.uuid4().hex


def _pattern(scope: Scope) -> str:
    """Return the pattern of the route that answered; "other" if none did."""
    path = getattr(scope.get("route"), "path", None)
    if path is None and scope.get("endpoint") is not None:
        path = scope.get("root_path", "").removeprefix(scope.get("app_root_path", "")) or None  # a mounted app
    return path if isinstance(path, str) else "other"
