"""Failures become answers: `{"error": …}` on the two contract routes, RFC 9457 problem documents elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lesionlens.api.metrics import Metrics
from lesionlens.api.problems import (
    CONFLICT,
    INTERNAL,
    INVALID_PARAMETER,
    INVALID_RECORD,
    NOT_FOUND,
    STORE_FAILED,
    ProblemType,
    RequestError,
    problem_for_image,
    problem_for_status,
)
from lesionlens.errors import (
    DamagedPhotoError,
    ImageError,
    InvalidRecordError,
    RecordConflictError,
    RecordError,
    StoreError,
)

__all__ = [
    "CLIENT_CLOSED_REQUEST",
    "CONTRACT_PATHS",
    "PROBLEM_MEDIA_TYPE",
    "UnexpectedErrorMiddleware",
    "add_error_handlers",
]

CONTRACT_PATHS: Final = frozenset({"/predict", "/health"})
PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
CLIENT_CLOSED_REQUEST: Final = 499  # nginx's status for a client that went away before its answer

# The contract knows 400 for every photo that cannot be used; 415 and 422 are finer than its client understands.
_CONTRACT_STATUS: Final[Mapping[int, int]] = {415: 400, 422: 400}


def error_response(
    scope: Scope, problem: ProblemType, detail: str, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """Answer a request with a failure, in the form that its route promises.

    Args:
        scope: The request's ASGI scope.
        problem: Which kind of failure.
        detail: What was wrong this time.
        headers: Further headers.
        **members: Extension members of the problem document.
    """
    path = scope["path"]
    _count(scope, problem.slug)
    if path in CONTRACT_PATHS:
        status = _CONTRACT_STATUS.get(problem.status, problem.status)
        return JSONResponse({"error": detail}, status_code=status, headers=headers)
    document = {
        "type": problem.uri,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "instance": path,
        "request_id": scope.get("state", {}).get("request_id", ""),
        **members,
    }
    return JSONResponse(document, status_code=problem.status, headers=headers, media_type=PROBLEM_MEDIA_TYPE)


def _count(scope: Scope, reason: str) -> None:
    metrics: Metrics = scope["app"].state.lesionlens.metrics
    metrics.rejected(reason)


async def _on_request_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101 – narrows the type that registration already fixes
    return error_response(request.scope, error.problem, error.detail, error.headers)


async def _on_image_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ImageError)  # noqa: S101 – as above
    return error_response(request.scope, problem_for_image(error), _as_sentence(error))


async def _on_record_error(request: Request, error: Exception) -> Response:
    if isinstance(error, InvalidRecordError):
        errors = [{"field": field, "detail": detail} for field, detail in error.problems]
        # Begins with the name of a field, which a capital would spoil.
        return error_response(request.scope, INVALID_RECORD, f"{error}.", errors=errors)
    problem = CONFLICT if isinstance(error, RecordConflictError) else NOT_FOUND
    return error_response(request.scope, problem, _as_sentence(error))


async def _on_store_error(request: Request, error: Exception) -> Response:
    # The message names files and the database, which are nobody's business but the log reader's.
    logging.getLogger("lesionlens.api").error("the records failed: %s", error)
    detail = (
        "The photo's file is missing or damaged; `lesionlens doctor` looks for it and can replace it from a backup."
        if isinstance(error, DamagedPhotoError)
        else "The records could not be read or written; the log of the service says why."
    )
    return error_response(request.scope, STORE_FAILED, detail)


def _as_sentence(error: Exception) -> str:
    """Return a message of the library, which continues a sentence, as one that stands alone."""
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}."


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 – as above
    errors = [{"parameter": ".".join(map(str, e["loc"][1:])), "message": e["msg"]} for e in error.errors()]
    detail = "; ".join(f"{e['parameter']}: {e['message']}" for e in errors)
    return error_response(request.scope, INVALID_PARAMETER, detail, errors=errors)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 – as above
    problem = problem_for_status(error.status_code)
    detail = str(error.detail)
    headers = dict(error.headers or {})
    if "Allow" in headers:
        allowed = headers["Allow"] = await run_in_threadpool(_allowed, request, headers["Allow"])
        detail = f"{request.method} is not allowed here; accepted: {allowed}."
    elif detail == HTTPStatus(error.status_code).phrase:  # the framework's own words say too little
        detail = f"{request.url.path}: {problem.description}"
    return error_response(request.scope, problem, detail, headers)


def _allowed(request: Request, told: str) -> str:
    """Return all methods that a path knows (RFC 9110, section 10.2.1): the router tells those of one route only."""
    methods = set(told.split(", "))
    paths = request.app.openapi()["paths"]
    path = request.url.path
    # An address that is a path as it stands is no id, though a path with an id in it may have its form.
    known = [path] if path in paths else [each for each in paths if compile_path(each)[0].match(path)]
    for each in known:
        methods |= {method.upper() for method in paths[each]}
    return ", ".join(sorted(methods))


async def _on_disconnect(request: Request, _error: Exception) -> Response:
    _count(request.scope, "disconnected")
    return Response(status_code=CLIENT_CLOSED_REQUEST)  # nobody reads it; the log and the metrics do


def add_error_handlers(app: FastAPI) -> None:
    """Register the handlers of every failure that is raised on purpose."""
    app.add_exception_handler(RequestError, _on_request_error)
    app.add_exception_handler(ImageError, _on_image_error)
    app.add_exception_handler(RecordError, _on_record_error)
    app.add_exception_handler(StoreError, _on_store_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)


class UnexpectedErrorMiddleware:
    """Answers 500 for what nobody expected, and logs it.

    Starlette's own handler sits outside all middlewares, so its answer would lack the CORS headers and the request id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # Not structlog, whose tracebacks show local variables until it is configured, and photos are among those.
        self._log = logging.getLogger("lesionlens.api")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and answer for it if it fails."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            self._log.exception("request failed")
            detail = "The service failed to answer. The fault is not in your request."
            await error_response(scope, INTERNAL, detail)(scope, receive, send)
