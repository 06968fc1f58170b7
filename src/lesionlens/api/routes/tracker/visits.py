"""`/v1/visits`, but for their photos and analyses."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from lesionlens.api.present_tracker import describe_visit
from lesionlens.api.problems import BAD_REQUEST
from lesionlens.api.routes.tracker.bodies import read_object
from lesionlens.api.routes.tracker.failures import failures
from lesionlens.api.routes.tracker.parameters import VisitParameters
from lesionlens.api.routes.tracker.removal import add_removal
from lesionlens.api.schemas.tracker import Listing, Visit
from lesionlens.api.schemas.tracker.requests import Move, json_body, visit_values
from lesionlens.api.state import AppState, State
from lesionlens.api.tracking import Records
from lesionlens.tracker import Visit as VisitRecord
from lesionlens.tracker import VisitFields

__all__ = ["router"]

_CHANGES: Final = json_body(VisitFields, {"taken_at": "2026-03-01T10:15:00+01:00"}, {"note": "Bled."}, partial=True)
_MOVE: Final = json_body(Move, {"lesion_id": "0199c2f5-0b6c-7f18-8e2d-6a9b0c1d2e3f"})

router = APIRouter(prefix="/v1", tags=["Visits"])


@router.get("/visits", responses=failures(), summary="List visits")
async def list_visits(query: Annotated[VisitParameters, Query()], state: State, records: Records) -> Listing[Visit]:
    """List visits, the latest photo first unless it is said otherwise."""
    page = await records.run(records.tracker.visits.list, **query.model_dump())
    items = [_describe(visit, state) for visit in page.items]
    return Listing[Visit](items=items, total=page.total, offset=page.offset, limit=page.limit)


@router.get("/visits/{visit_id}", responses=failures(), summary="Give a visit")
async def get_visit(visit_id: str, state: State, records: Records) -> Visit:
    """Give a visit."""
    return _describe(await records.run(records.tracker.visits.get, visit_id), state)


@router.patch("/visits/{visit_id}", responses=failures(BAD_REQUEST), openapi_extra=_CHANGES, summary="Change a visit")
async def change_visit(visit_id: str, request: Request, state: State, records: Records) -> Visit:
    """Change the time or the note; absent fields stay as they are. A visit's photo never changes."""
    changes = visit_values(await read_object(request, state.settings))
    return _describe(await records.run(partial(records.tracker.visits.update, visit_id, **changes)), state)


@router.post(
    "/visits/{visit_id}/move",
    responses=failures(BAD_REQUEST),
    openapi_extra=_MOVE,
    summary="Give a visit to another lesion",
)
async def move_visit(visit_id: str, request: Request, state: State, records: Records) -> Visit:
    """Give a visit to another lesion, for a photo that was filed under the wrong one."""
    move = Move(**await read_object(request, state.settings))
    return _describe(await records.run(records.tracker.visits.move, visit_id, move.lesion_id), state)


def _describe(visit: VisitRecord, state: AppState) -> Visit:
    classifier, _ = state.running
    return Visit(**describe_visit(visit, classifier))


async def _answer(visit: VisitRecord, state: State, _records: Records) -> Visit:
    return _describe(visit, state)


add_removal(router, "visit", "visits", Visit, lambda tracker: tracker.visits, _answer)
