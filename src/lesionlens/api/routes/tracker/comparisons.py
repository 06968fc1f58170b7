"""`/v1/comparisons`: what changed between two visits."""

from __future__ import annotations

import io
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response
from PIL import Image

from lesionlens import DISCLAIMER
from lesionlens.api.comparing import PICTURE_SIDE, Compared
from lesionlens.api.pictures import to_jpeg
from lesionlens.api.problems import CONFLICT, INVALID_PARAMETER, RequestError
from lesionlens.api.routes.tracker.failures import failures
from lesionlens.api.routes.tracker.parameters import PairParameters, PictureParameters
from lesionlens.api.schemas.tracker import Comparison, ComparisonPictures
from lesionlens.api.tracking import Records, TrackerState
from lesionlens.attention import fit_within
from lesionlens.errors import RecordConflictError

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["Change"])


@router.get("/comparisons", responses=failures(CONFLICT), summary="Compare two visits")
async def compare(query: Annotated[PairParameters, Query()], records: Records) -> Comparison:
    """Compare two visits of a lesion: photos laid on each other, outlined and measured. Slow the first time."""
    compared = await _compared(query, records)
    return Comparison(
        before=query.before,
        after=query.after,
        statements=list(compared.statements),
        registration=compared.registration,
        outlines=compared.outlines,
        differences=list(compared.differences),
        pictures=ComparisonPictures(**{name: _path(query, name) for name in compared.pictures}),
        disclaimer=DISCLAIMER,
    )


@router.get(
    "/comparisons/picture",
    response_class=Response,
    responses=failures(CONFLICT) | {200: {"content": {"image/jpeg": {}}, "description": "A JPEG file."}},
    summary="Give a picture of a comparison",
)
async def picture(query: Annotated[PictureParameters, Query()], records: Records) -> Response:
    """Give a photo, the later photo laid on the earlier one (`aligned`), or both half and half (`blended`)."""
    data = (await _compared(query, records)).pictures[query.which]
    if query.side < PICTURE_SIDE:
        data = await records.pictures.run(_shrink, data, query.side)
    return Response(data, media_type="image/jpeg", headers={"Content-Disposition": "inline"})


async def _compared(query: PairParameters, records: TrackerState) -> Compared:
    visits = records.tracker.visits
    before = await records.run(visits.get, query.before)
    after = await records.run(visits.get, query.after)
    if before.lesion_id != after.lesion_id:
        raise RecordConflictError("the two visits are of different lesions; accepted: two visits of one lesion")
    if before.taken_at > after.taken_at:
        raise RequestError(
            INVALID_PARAMETER, "The photo of `before` was taken after that of `after`; accepted: the earlier one first."
        )

    async def load() -> tuple[bytes, bytes]:
        return await records.run(visits.photo, before.id), await records.run(visits.photo, after.id)

    return await records.comparisons.of((before.photo.sha256, after.photo.sha256), load)


def _path(query: PairParameters, which: str) -> str:
    return f"/v1/comparisons/picture?{urlencode({'before': query.before, 'after': query.after, 'which': which})}"


def _shrink(data: bytes, side: int) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        image.draft(None, (side, side))
        return to_jpeg(fit_within(image.convert("RGB"), side))
