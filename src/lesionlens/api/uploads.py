"""Reads the one file of a request with its fields, and no more of the request than these may be large."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from lesionlens.api.problems import MISSING_FILE, TOO_LARGE, UPLOAD_TIMEOUT, RequestError
from lesionlens.settings import Settings

__all__ = ["Upload", "parse_form", "read_form", "read_upload", "take_file"]

_PART_NAME: Final = "file"
_MAX_FIELDS: Final = 16
_MAX_FIELD_BYTES: Final = 64 * 1024  # a note has at most 10,000 characters of at most four bytes
# Boundaries and part headers come on top of the photo.
_FRAMING_BYTES: Final = 64 * 1024 + _MAX_FIELDS * _MAX_FIELD_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """What a form holds.

    Attributes:
        photo: The bytes of the part `file`.
        fields: The other parts by name; of parts with the same name the last one.
    """

    photo: bytes
    fields: Mapping[str, str]


async def read_upload(request: Request, settings: Settings) -> bytes:
    """Return the bytes of the part `file`, whatever else the form holds; `read_form` says how and what it raises.

    Args:
        request: A request whose body has not been read.
        settings: Gives the limits.
    """
    return (await read_form(request, settings)).photo


async def read_form(request: Request, settings: Settings) -> Upload:
    """Return the part `file` and the fields of a form.

    The photo stays in memory: nothing is written to disk. Reading stops as soon as the limit is passed, whether the
    client announced the size (`Content-Length`) or not.

    Args:
        request: A request whose body has not been read.
        settings: Gives the limits.

    Raises:
        RequestError: `missing-file`, `image-too-large` or `upload-timeout`.
        starlette.requests.ClientDisconnect: The client went away.
    """
    limit = settings.max_upload_bytes + _FRAMING_BYTES
    try:
        async with asyncio.timeout(settings.upload_timeout):
            form = await parse_form(
                request,
                _limited(request, limit, settings),
                max_fields=_MAX_FIELDS,
                max_part_size=_MAX_FIELD_BYTES,
                in_memory=limit,  # larger than any part can grow, so that none is rolled over to disk
            )
    except TimeoutError:
        raise RequestError(
            UPLOAD_TIMEOUT, f"The upload did not arrive within {settings.upload_timeout:g} seconds."
        ) from None
    try:
        photo = await _photo(take_file(form), settings)
        return Upload(photo, {name: value for name, value in form.items() if isinstance(value, str)})
    finally:
        await form.close()


async def parse_form(
    request: Request,
    arriving: AsyncGenerator[bytes],
    *,
    max_fields: int,
    max_part_size: int = 1024 * 1024,
    in_memory: int = 1024 * 1024,
) -> FormData:
    """Read a form with one file.

    Args:
        request: A request whose body has not been read.
        arriving: Its body; whatever bounds there are on size and time are set there.
        max_fields: Most parts that are text.
        max_part_size: Most bytes of such a part.
        in_memory: Bytes from which on a file goes to the disk.

    Raises:
        RequestError: It is no such form (`missing-file`), or what `arriving` raises.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise RequestError(MISSING_FILE, f"Send multipart/form-data with one file part named {_PART_NAME!r}.")
    parser = MultiPartParser(request.headers, arriving, max_files=1, max_fields=max_fields, max_part_size=max_part_size)
    parser.spool_max_size = in_memory
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise RequestError(
            MISSING_FILE, f"{error.message.rstrip('.')}. Send exactly one file part, named {_PART_NAME!r}."
        ) from error
    # A body that ends within a file is no error to the parser, which then neither gives that file nor closes it.
    unfinished = parser._current_part.file
    if unfinished is not None and unfinished not in form.values():
        await unfinished.close()
    return form


def take_file(form: FormData) -> UploadFile:
    """Return the part `file` of a form.

    Raises:
        RequestError: There is none, or it is text (`missing-file`).
    """
    part = form.get(_PART_NAME)
    if part is None:
        raise RequestError(MISSING_FILE, f"The request has no file part named {_PART_NAME!r}.")
    if isinstance(part, str):
        raise RequestError(MISSING_FILE, f"The part {_PART_NAME!r} is text, not a file: give it a file name.")
    return part


async def _photo(part: UploadFile, settings: Settings) -> bytes:
    data = await part.read()
    if len(data) > settings.max_upload_bytes:
        raise _too_large(settings)
    return data


async def _limited(request: Request, limit: int, settings: Settings) -> AsyncGenerator[bytes]:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(settings)
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise _too_large(settings)
        yield chunk


def _too_large(settings: Settings) -> RequestError:
    megabytes = settings.max_upload_bytes / 1024 / 1024
    return RequestError(
        TOO_LARGE,
        f"The file is too large: at most {settings.max_upload_bytes} bytes ({megabytes:.3g} MiB) are accepted.",
    )
