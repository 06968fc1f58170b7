"""Reads the JSON object of a request, and no more of the request than records may be large."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from fastapi import Request

from lesionlens.api.problems import BAD_REQUEST, INVALID_RECORD, UPLOAD_TIMEOUT, RequestError
from lesionlens.settings import Settings

__all__ = ["read_object"]

_MAX_BYTES: Final = 256 * 1024  # a note of 10,000 characters, each escaped in twelve bytes, twice over
_MEDIA_TYPES: Final = ("application/json", "application/merge-patch+json")


async def read_object(request: Request, settings: Settings) -> dict[str, Any]:
    """Return the JSON object that is the body of a request.

    Args:
        request: A request whose body has not been read.
        settings: Gives the time limit.

    Raises:
        RequestError: It is not JSON (`bad-request`), no object (`invalid-record`), too large, or took too long.
        starlette.requests.ClientDisconnect: The client went away.
    """
    # Pages of other sites can send forms and plain text without asking, but not this media type.
    if request.headers.get("content-type", "").split(";")[0].strip().lower() not in _MEDIA_TYPES:
        raise RequestError(BAD_REQUEST, "Send JSON, with the header Content-Type: application/json.")
    body = bytearray()
    try:
        async with asyncio.timeout(settings.upload_timeout):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise RequestError(BAD_REQUEST, f"The body is too large: at most {_MAX_BYTES} bytes are accepted.")
    except TimeoutError:
        raise RequestError(
            UPLOAD_TIMEOUT, f"The body did not arrive within {settings.upload_timeout:g} seconds."
        ) from None
    value = _parse(bytes(body))
    if not isinstance(value, dict):
        raise RequestError(INVALID_RECORD, "The body is not an object; accepted: an object of fields, {…}.")
    return value


def _parse(body: bytes) -> Any:
    try:
        value = json.loads(body.decode(), parse_constant=_refuse, parse_float=_number)
        # Halves of surrogate pairs are JSON, but no text that could be stored or answered.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RequestError(BAD_REQUEST, "The body is not valid JSON in UTF-8.") from error
    return value


def _number(text: str) -> float:
    # To JSON Schema, by which clients check what they send, 6.0 is as whole a number as 6 (2020-12, section 6.1.1).
    value = float(text)
    return int(value) if value.is_integer() else value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
