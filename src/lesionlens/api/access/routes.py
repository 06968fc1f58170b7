"""`/v1/session`: logging in and out."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from lesionlens.access_settings import LONGEST_PASSWORD
from lesionlens.api.access import challenge
from lesionlens.api.access.control import Access
from lesionlens.api.access.require import access_of
from lesionlens.api.openapi import PROBLEM_CONTENT
from lesionlens.api.problems import (
    ACCESS_REFUSED,
    ACCESS_REQUIRED,
    BAD_REQUEST,
    INVALID_PARAMETER,
    TOO_MANY_ATTEMPTS,
    UPLOAD_TIMEOUT,
    RequestError,
)

__all__ = ["router"]

_MAX_BODY_BYTES: Final = 16 * 1024  # JSON may spell a character in twelve bytes
_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    problem.status: {"description": problem.title, **PROBLEM_CONTENT}
    for problem in (BAD_REQUEST, ACCESS_REQUIRED, ACCESS_REFUSED, INVALID_PARAMETER, TOO_MANY_ATTEMPTS)
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["password"],
                    "properties": {
                        "password": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": LONGEST_PASSWORD,
                            "format": "password",
                        }
                    },
                }
            }
        },
    }
}
_FORM: Final = 'Send JSON (application/json) of this form: {"password": "…"}.'
_logger = structlog.stdlib.get_logger("lesionlens.access")

router = APIRouter(prefix="/v1", tags=["Access"])


@router.post("/session", status_code=204, responses=_FAILURES, openapi_extra=_BODY, summary="Log in")
async def log_in(request: Request) -> Response:
    """Begin a session: the answer sets a cookie that scripts cannot read.

    After several wrong passwords further ones are not looked at for a while (`too-many-attempts`).
    """
    access = access_of(request)
    access.refuse_cross_site(request)
    if access.password is None:
        raise RequestError(ACCESS_REFUSED, "One cannot log in: this service has no password.")
    password = await _read_password(request, access)
    address = request.client.host if request.client else ""
    wait = access.attempts.begin(address)
    if wait:
        raise RequestError(
            TOO_MANY_ATTEMPTS,
            f"Too many wrong passwords. Try again in {wait} second{'' if wait == 1 else 's'}.",
            headers={"Retry-After": str(wait)},
        )
    if not await access.password.matches(password):
        _logger.warning("wrong password", client=address)
        raise RequestError(ACCESS_REQUIRED, "The password is wrong.", headers=challenge.NOBODY)
    access.attempts.succeeded(address)
    response = Response(status_code=204)
    response.set_cookie(
        access.cookie_name(request),
        access.sessions.begin(),
        max_age=access.sessions.lifetime,
        secure=access.uses_https(request),
        httponly=True,
        samesite="strict",
    )
    return response


@router.delete("/session", status_code=204, responses={403: _FAILURES[403]}, summary="Log out")
async def log_out(request: Request) -> Response:
    """End the session, if there is one; its cookie is worth nothing from then on."""
    access = access_of(request)
    access.refuse_cross_site(request)
    name = access.cookie_name(request)
    token = request.cookies.get(name)
    if access.password is not None and token is not None:
        access.sessions.end(token)
    response = Response(status_code=204)
    response.delete_cookie(name, secure=access.uses_https(request), httponly=True, samesite="strict")
    return response


async def _read_password(request: Request, access: Access) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RequestError(BAD_REQUEST, _FORM)
    try:
        async with asyncio.timeout(access.settings.upload_timeout):
            body = await _read_body(request)
    except TimeoutError:
        seconds = access.settings.upload_timeout
        raise RequestError(UPLOAD_TIMEOUT, f"The request did not arrive within {seconds:g} seconds.") from None
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(BAD_REQUEST, _FORM) from None  # the error's own words would show what was sent
    password = sent.get("password") if isinstance(sent, dict) else None
    if not isinstance(password, str):
        raise RequestError(BAD_REQUEST, _FORM)
    if not 1 <= len(password) <= LONGEST_PASSWORD:
        raise RequestError(INVALID_PARAMETER, f"password: accepted are 1 to {LONGEST_PASSWORD} characters.")
    return password


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise RequestError(BAD_REQUEST, f"The request is larger than {_MAX_BODY_BYTES} bytes. {_FORM}")
    return bytes(body)
