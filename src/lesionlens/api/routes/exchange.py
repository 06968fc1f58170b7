"""`/v1/export`, `/v1/import` and the report of a person: records on their way out and in."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import asdict
from typing import IO, Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.datastructures import UploadFile

from lesionlens.api.access import require_access
from lesionlens.api.limits import limit_rate
from lesionlens.api.openapi import file_part, multipart_body
from lesionlens.api.problems import MISSING_FILE, RATE_LIMITED, TOO_LARGE, UPLOAD_TIMEOUT, RequestError
from lesionlens.api.routes.tracker.failures import failures
from lesionlens.api.routes.tracker.parameters import Parameters
from lesionlens.api.schemas.base import Response
from lesionlens.api.state import State
from lesionlens.api.tracking import Records
from lesionlens.api.uploads import parse_form, take_file
from lesionlens.tracker import Tracker
from lesionlens.tracker.exchange import export, import_file, write_report
from lesionlens.tracker.exchange.report.both import ReportFormat
from lesionlens.tracker.exchange.report.html import CONTENT_SECURITY_POLICY

__all__ = ["MAX_IMPORT_BYTES", "router"]

MAX_IMPORT_BYTES: Final = 16 * 1024**3
"""Largest file that is taken over HTTP; `lesionlens tracker import` takes any."""

_IN_MEMORY: Final = 8 * 1024 * 1024  # what is larger goes to the disk while it is made or arrives
_CHUNK: Final = 1024 * 1024
_MAX_FIELDS: Final = 4
_PRIVATE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_MEDIA_TYPES: Final = {"html": "text/html; charset=utf-8", "pdf": "application/pdf"}

_BODY: Final = multipart_body(file_part("The ZIP of an export, or the SkinTracker app's storage as JSON."))

router = APIRouter(
    prefix="/v1", dependencies=[Depends(require_access), Depends(limit_rate)], tags=["Export and import"]
)


class ExportParameters(Parameters):
    """What is exported."""

    person_id: str | None = Field(None, description="Whose; everybody's without it.")


class ImportParameters(Parameters):
    """For whom it is imported."""

    person_id: str | None = Field(
        None, description="SkinTracker only: whose moles these are; a new person's without it."
    )


class ReportParameters(Parameters):
    """Which form of the report."""

    format: ReportFormat = "html"


class SkippedInfo(Response):
    """Something that was not imported."""

    what: str
    why: str


class ImportSummary(Response):
    """What an import added."""

    people: int
    lesions: int
    visits: int
    analyses: int
    photos: int = Field(description="Photo files that no visit showed before.")
    already_there: int = Field(
        description="People, lesions, visits and analyses that were there with the same content."
    )
    skipped: list[SkippedInfo] = Field(description="What was left out, and why; nothing was changed for it.")


@router.get(
    "/export",
    summary="Export records, photos and reports",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}, "description": "A ZIP file"}, **failures(RATE_LIMITED)},
)
async def export_records(records: Records, query: Annotated[ExportParameters, Query()]) -> StreamingResponse:
    """Export everything, or all of one person, as one ZIP file. The same records give the same bytes."""
    tracker = records.tracker
    file = await records.run(_made, tracker, lambda stream: export(tracker, stream, query.person_id))
    return _send(file, "application/zip", "attachment", "lesionlens-export.zip")


@router.post(
    "/import",
    summary="Import an export, or the SkinTracker app's storage",
    openapi_extra=_BODY,
    responses=failures(MISSING_FILE, TOO_LARGE, UPLOAD_TIMEOUT, RATE_LIMITED),
)
async def import_records(
    request: Request, state: State, records: Records, query: Annotated[ImportParameters, Query()]
) -> ImportSummary:
    """Import a file; what is there already stays as it is, so it may be repeated."""
    upload = await _read_file(request, state.settings.upload_timeout)
    try:
        done = await records.run(import_file, records.tracker, upload.file, query.person_id)
    finally:
        await upload.close()
    return ImportSummary.model_validate(asdict(done))


@router.get(
    "/people/{person_id}/report",
    summary="Report of a person, to read",
    response_class=StreamingResponse,
    responses={
        200: {"content": {t: {} for t in _MEDIA_TYPES.values()}, "description": "The report"},
        **failures(RATE_LIMITED),
    },
)
async def report(person_id: str, records: Records, query: Annotated[ReportParameters, Query()]) -> StreamingResponse:
    """Give a person's lesions, photos and answers over time as one HTML page or a PDF."""
    tracker = records.tracker
    file = await records.run(_made, tracker, lambda stream: write_report(tracker, person_id, stream, query.format))
    return _send(file, _MEDIA_TYPES[query.format], "inline", f"lesionlens-report.{query.format}")


def _made(tracker: Tracker, write: Callable[[IO[bytes]], object]) -> IO[bytes]:
    """Return a new temporary file with what was written to it."""
    # In the data folder, which is private and has room for photos; /tmp may be the machine's memory.
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(tracker.data_dir))  # noqa: SIM115 – whoever sends it closes it
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    return file


def _send(file: IO[bytes], media_type: str, disposition: str, name: str) -> StreamingResponse:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    headers = {
        **_PRIVATE,
        "Content-Length": str(size),
        "Content-Disposition": f'{disposition}; filename="{name}"',
        # The page comes from the service's own address, so it must not be able to do what its pages can.
        "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'none'; sandbox",
    }
    return StreamingResponse(_chunks(file), media_type=media_type, headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


async def _read_file(request: Request, patience: float) -> UploadFile:
    """Return the part `file`, which is on the disk if it is large.

    Args:
        request: A request whose body has not been read.
        patience: Seconds within which something must arrive.
    """
    form = await parse_form(request, _arriving(request, patience), max_fields=_MAX_FIELDS)
    try:
        return take_file(form)
    except RequestError:
        await form.close()
        raise


async def _arriving(request: Request, patience: float) -> AsyncGenerator[bytes]:
    received, stream = 0, aiter(request.stream())
    while True:
        try:
            # Not for the whole: a large export takes its time, and what must not happen is that nothing arrives.
            async with asyncio.timeout(patience):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise RequestError(UPLOAD_TIMEOUT, f"Nothing of the upload arrived within {patience:g} seconds.") from None
        received += len(chunk)
        if received > MAX_IMPORT_BYTES:
            raise RequestError(
                TOO_LARGE,
                f"The file is too large: at most {MAX_IMPORT_BYTES} bytes are accepted here. `lesionlens tracker "
                "import` takes any.",
            )
        yield chunk
