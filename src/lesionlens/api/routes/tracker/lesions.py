"""`/v1/lesions`."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from lesionlens.api.present_tracker import describe_lesions, describe_visit
from lesionlens.api.problems import BAD_REQUEST, CONFLICT
from lesionlens.api.routes.tracker.bodies import read_object
from lesionlens.api.routes.tracker.failures import failures, recorded_before
from lesionlens.api.routes.tracker.parameters import DueParameters, LesionParameters, NearParameters
from lesionlens.api.routes.tracker.removal import add_removal
from lesionlens.api.schemas.tracker import Due, Lesion, Listing, Near, NearLesion, Timeline, Visit
from lesionlens.api.schemas.tracker.requests import NewLesion, json_body
from lesionlens.api.state import AppState, State
from lesionlens.api.tracking import Records, TrackerState
from lesionlens.tracker import Lesion as LesionRecord
from lesionlens.tracker import LesionFields
from lesionlens.tracker.ids import new_id

__all__ = ["router"]

_NEW: Final = json_body(
    NewLesion,
    {"view": "back", "x": 0.41, "y": 0.3, "site": "left shoulder"},
    {"view": "head", "x": 0.5, "y": 0.25, "colour": "red", "reminder_months": 3},
)
_CHANGES: Final = json_body(LesionFields, {"note": "Itches."}, {"reminder_months": None}, partial=True)

router = APIRouter(prefix="/v1", tags=["Lesions"])


@router.get("/lesions", responses=failures(), summary="List lesions")
async def list_lesions(query: Annotated[LesionParameters, Query()], state: State, records: Records) -> Listing[Lesion]:
    """List lesions, each with what was last said of it."""
    page = await records.run(records.tracker.lesions.list, **query.model_dump())
    items = await _describe(page.items, state, records)
    return Listing[Lesion](items=items, total=page.total, offset=page.offset, limit=page.limit)


@router.get("/lesions/near", responses=failures(), summary="Find lesions near a place")
async def near(query: Annotated[NearParameters, Query()], state: State, records: Records) -> Near:
    """Find a person's lesions near a place on the body, the nearest first."""
    found = await records.run(records.tracker.lesions.near, **query.model_dump())
    items = await _describe([neighbour.lesion for neighbour in found], state, records)
    pairs = zip(items, found, strict=True)
    return Near(items=[NearLesion(lesion=lesion, distance=neighbour.distance) for lesion, neighbour in pairs])


@router.get("/lesions/due", responses=failures(), summary="Find lesions to photograph again")
async def due(query: Annotated[DueParameters, Query()], state: State, records: Records) -> Due:
    """Find the lesions whose next photo is due, the longest overdue first."""
    within = timedelta(days=query.within_days)
    found = await records.run(records.tracker.lesions.due, query.person_id, within=within)
    return Due(items=await _describe(found, state, records))


@router.post(
    "/people/{person_id}/lesions",
    status_code=201,
    responses=failures(BAD_REQUEST, CONFLICT) | recorded_before(Lesion),
    openapi_extra=_NEW,
    summary="Record a lesion",
)
async def create_lesion(person_id: str, request: Request, response: Response, state: State, records: Records) -> Lesion:
    """Record a lesion of a person. With an `id` of the client's making the request can be sent again."""
    new = NewLesion(**await read_object(request, state.settings))
    fields = LesionFields.model_construct(**{name: getattr(new, name) for name in LesionFields.model_fields})
    made = await records.run(records.tracker.lesions.create_once, new.id or new_id(), person_id, fields)
    response.status_code = 201 if made.new else 200
    response.headers["Location"] = f"/v1/lesions/{made.record.id}"
    return await _answer(made.record, state, records)


@router.get("/lesions/{lesion_id}", responses=failures(), summary="Give a lesion")
async def get_lesion(lesion_id: str, state: State, records: Records) -> Lesion:
    """Give a lesion."""
    return await _answer(await records.run(records.tracker.lesions.get, lesion_id), state, records)


@router.patch(
    "/lesions/{lesion_id}", responses=failures(BAD_REQUEST), openapi_extra=_CHANGES, summary="Change a lesion"
)
async def change_lesion(lesion_id: str, request: Request, state: State, records: Records) -> Lesion:
    """Change the fields that are sent; null empties one that may be empty, and absent ones stay as they are."""
    changes = await read_object(request, state.settings)
    return await _answer(
        await records.run(partial(records.tracker.lesions.update, lesion_id, **changes)), state, records
    )


@router.get("/lesions/{lesion_id}/timeline", responses=failures(), summary="Give a lesion with all its visits")
async def timeline(lesion_id: str, state: State, records: Records) -> Timeline:
    """Give a lesion with all its visits, the earliest photo first."""
    found = await records.run(records.tracker.lesions.timeline, lesion_id)
    classifier, _ = state.running
    return Timeline(
        lesion=await _answer(found.lesion, state, records),
        visits=[Visit(**describe_visit(visit, classifier)) for visit in found.visits],
    )


async def _describe(lesions: Any, state: AppState, records: TrackerState) -> list[Lesion]:
    classifier, _ = state.running
    latest = await records.run(records.tracker.lesions.latest, [lesion.id for lesion in lesions])
    return describe_lesions(lesions, latest, classifier)


async def _answer(lesion: LesionRecord, state: State, records: Records) -> Lesion:
    [described] = await _describe([lesion], state, records)
    return described


add_removal(router, "lesion", "lesions", Lesion, lambda tracker: tracker.lesions, _answer)
