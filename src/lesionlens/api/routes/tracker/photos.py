"""The photos of visits: sent and kept, and given back as they were sent or as small upright pictures."""

from __future__ import annotations

import logging
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from lesionlens.api.limits import limit_rate
from lesionlens.api.pictures import upright_jpeg
from lesionlens.api.present_tracker import describe_visit
from lesionlens.api.problems import (
    CONFLICT,
    CORRUPT,
    MISSING_FILE,
    RATE_LIMITED,
    TOO_LARGE,
    UNSUPPORTED,
    UPLOAD_TIMEOUT,
    RequestError,
)
from lesionlens.api.routes.tracker.analyses import analyse_photo, analysis_by
from lesionlens.api.routes.tracker.failures import failures, recorded_before
from lesionlens.api.routes.tracker.parameters import PhotoParameters
from lesionlens.api.schemas.tracker import AddedVisit
from lesionlens.api.schemas.tracker.requests import NewVisit, photo_body, visit_values
from lesionlens.api.state import AppState, State
from lesionlens.api.tracking import Records, TrackerState
from lesionlens.api.uploads import read_form
from lesionlens.errors import LesionLensError
from lesionlens.tracker import Visit
from lesionlens.tracker.creation import Creation
from lesionlens.tracker.ids import new_id

__all__ = ["router"]

# What a hash names never changes, so a browser need not ask again; only that of this user may keep it.
_CACHING: Final = "private, max-age=31536000, immutable"
_LATER: Final = "The photo is stored; its analysis can be asked for later."

router = APIRouter(prefix="/v1", tags=["Visits"])


@router.post(
    "/lesions/{lesion_id}/visits",
    status_code=201,
    response_model=AddedVisit,
    responses=failures(MISSING_FILE, UPLOAD_TIMEOUT, CONFLICT, TOO_LARGE, UNSUPPORTED, CORRUPT, RATE_LIMITED)
    | recorded_before(AddedVisit),
    openapi_extra=photo_body(),
    dependencies=[Depends(limit_rate)],
    summary="Record a visit with its photo",
)
async def add_visit(lesion_id: str, request: Request, response: Response, state: State, records: Records) -> AddedVisit:
    """Keep a photo of a lesion and analyse it.

    The photo is on the disk before it is analysed, so it is kept even if no analysis can be had: `not_analysed` then
    says why. With an `id` of the client's making the request can be sent again if its answer was lost.
    """
    classifier, _ = state.running
    await records.run(records.tracker.lesions.get, lesion_id)  # before megabytes are sent for nothing
    made, data, wanted = await _keep(lesion_id, request, state, records)
    visit, why_not = made.record, None
    if wanted and analysis_by(classifier, visit) is None:
        analysing = _try_to_analyse(visit, data, state, records)
        del data  # a photo that waits for its answer need not keep its file
        why_not = await analysing
        visit = await records.run(records.tracker.visits.get, visit.id, deleted=True)
    response.status_code = 201 if made.new else 200
    response.headers["Location"] = f"/v1/visits/{visit.id}"
    return AddedVisit(**describe_visit(visit, classifier), not_analysed=why_not)


@router.get(
    "/visits/{visit_id}/photo",
    response_class=Response,
    responses=failures()
    | {
        200: {"content": {"image/*": {}}, "description": "The photo's file, or with `side` a JPEG file."},
        304: {"description": "It is what the client has (`If-None-Match`)."},
    },
    summary="Give a visit's photo",
)
async def photo(
    visit_id: str, query: Annotated[PhotoParameters, Query()], request: Request, records: Records
) -> Response:
    """Give the photo byte for byte as it was sent; with `side`, upright and shrunk, as a JPEG without metadata."""
    visit = await records.run(records.tracker.visits.get, visit_id, deleted=True)
    sha256, side = visit.photo.sha256, query.side
    etag = f'"{sha256}"' if side is None else f'"{sha256}-{side}"'
    headers = {"Cache-Control": _CACHING, "ETag": etag, "Content-Disposition": "inline"}
    if _has(request, etag):
        return Response(status_code=304, headers=headers)
    if side is None:
        data = await records.run(records.tracker.visits.photo, visit_id)
        return Response(data, media_type=visit.photo.media_type, headers=headers)
    return Response(await _thumbnail(visit, side, records), media_type="image/jpeg", headers=headers)


async def _keep(
    lesion_id: str, request: Request, state: AppState, records: TrackerState
) -> tuple[Creation[Visit], bytes, bool]:
    """Read the upload and store it; returns the visit, the photo, and whether it is to be analysed."""
    _, service = state.running
    with service.uploads.enter():  # until it is on the disk, so that memory stays bounded
        upload = await read_form(request, state.settings)
        sent = NewVisit(**visit_values(dict(upload.fields)))
        made = await records.photos.run(
            records.tracker.visits.add_once,
            sent.id or new_id(),
            lesion_id,
            upload.photo,
            taken_at=sent.taken_at,
            note=sent.note,
        )
    return made, upload.photo, sent.analyse


async def _try_to_analyse(visit: Visit, data: bytes, state: AppState, records: TrackerState) -> str | None:
    """Analyse a photo that is stored; return why it could not be, in words, or None."""
    analysing = analyse_photo(visit.id, data, state, records)
    del data
    try:
        await analysing
    except RequestError as error:
        return f"{error.detail} {_LATER}"
    except LesionLensError as error:
        logging.getLogger("lesionlens.api").error("a stored photo could not be analysed: %s", error)
    except Exception:  # whatever it is, the visit was accepted and is acknowledged
        logging.getLogger("lesionlens.api").exception("a stored photo could not be analysed")
    else:
        return None
    return f"The photo could not be analysed. {_LATER}"


async def _thumbnail(visit: Visit, side: int, records: TrackerState) -> bytes:
    key = (visit.photo.sha256, side)
    made = records.thumbnails.get(key)
    if made is None:
        generation = records.thumbnails.generation  # it may be erased while it is drawn
        data = await records.run(records.tracker.visits.photo, visit.id)
        made = await records.pictures.run(upright_jpeg, data, side, records.limits)
        records.thumbnails.put(key, made, generation)
    return made


def _has(request: Request, etag: str) -> bool:
    """Say whether the client has a picture already (RFC 9110, section 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    return etag in tags or "*" in tags
