"""`/v1/people`."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from lesionlens.api.problems import BAD_REQUEST, CONFLICT
from lesionlens.api.routes.tracker.bodies import read_object
from lesionlens.api.routes.tracker.failures import failures, recorded_before
from lesionlens.api.routes.tracker.parameters import PersonParameters
from lesionlens.api.routes.tracker.removal import add_removal
from lesionlens.api.schemas.tracker import Listing, Person
from lesionlens.api.schemas.tracker.requests import NewPerson, json_body
from lesionlens.api.state import State
from lesionlens.api.tracking import Records
from lesionlens.tracker import Person as PersonRecord
from lesionlens.tracker import PersonFields
from lesionlens.tracker.ids import new_id

__all__ = ["router"]

_NEW: Final = json_body(
    NewPerson,
    {"label": "Ada"},
    {"id": "5f0e8a44-3c1d-4a8e-9d53-0c9a4c2f7b61", "label": "Ada", "birth_year": 1980, "sex": "female", "skin_type": 2},
)
_CHANGES: Final = json_body(PersonFields, {"note": "Father had melanoma."}, {"birth_year": None}, partial=True)

router = APIRouter(prefix="/v1", tags=["People"])


@router.get("/people", responses=failures(), summary="List people")
async def list_people(query: Annotated[PersonParameters, Query()], records: Records) -> Listing[Person]:
    """List people."""
    page = await records.run(records.tracker.people.list, **query.model_dump())
    return Listing[Person](
        items=[_describe(p) for p in page.items], total=page.total, offset=page.offset, limit=page.limit
    )


@router.post(
    "/people",
    status_code=201,
    responses=failures(BAD_REQUEST, CONFLICT) | recorded_before(Person),
    openapi_extra=_NEW,
    summary="Record a person",
)
async def create_person(request: Request, response: Response, state: State, records: Records) -> Person:
    """Record a person. With an `id` of the client's making the request can be sent again if its answer was lost."""
    new = NewPerson(**await read_object(request, state.settings))
    fields = PersonFields.model_construct(**{name: getattr(new, name) for name in PersonFields.model_fields})
    made = await records.run(records.tracker.people.create_once, new.id or new_id(), fields)
    response.status_code = 201 if made.new else 200
    response.headers["Location"] = f"/v1/people/{made.record.id}"
    return _describe(made.record)


@router.get("/people/{person_id}", responses=failures(), summary="Give a person")
async def get_person(person_id: str, records: Records) -> Person:
    """Give a person."""
    return _describe(await records.run(records.tracker.people.get, person_id))


@router.patch("/people/{person_id}", responses=failures(BAD_REQUEST), openapi_extra=_CHANGES, summary="Change a person")
async def change_person(person_id: str, request: Request, state: State, records: Records) -> Person:
    """Change the fields that are sent; null empties one that may be empty, and absent ones stay as they are."""
    changes = await read_object(request, state.settings)
    return _describe(await records.run(partial(records.tracker.people.update, person_id, **changes)))


def _describe(person: PersonRecord) -> Person:
    return Person.model_validate(person)


async def _answer(person: PersonRecord, _state: State, _records: Records) -> Person:
    return _describe(person)


add_removal(router, "person", "people", Person, lambda tracker: tracker.people, _answer)
