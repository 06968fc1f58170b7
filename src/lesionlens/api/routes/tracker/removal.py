"""Deleting, undeleting and erasing: the same for people, lesions and visits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from lesionlens.api.problems import CONFLICT
from lesionlens.api.routes.tracker.failures import failures
from lesionlens.api.schemas.tracker import Erased
from lesionlens.api.state import AppState, State
from lesionlens.api.tracking import Records, TrackerState
from lesionlens.tracker import Tracker
from lesionlens.tracker.repository import Repository

__all__ = ["add_removal"]


def add_removal(
    router: APIRouter,
    kind: str,
    plural: str,
    model: type[BaseModel],
    of: Callable[[Tracker], Repository[Any, Any]],
    describe: Callable[[Any, AppState, TrackerState], Awaitable[BaseModel]],
) -> None:
    """Add the three routes to a router.

    Args:
        router: The router.
        kind: What a record is called.
        plural: The path of the records.
        model: How one is answered.
        of: Returns the records of a tracker.
        describe: Turns a record into an answer.
    """
    # As a default and not in the annotation, which is evaluated where `kind` is not known.
    named: Any = Path(alias=f"{kind}_id")

    async def delete(state: State, records: Records, record_id: str = named) -> Any:
        """Hide it, with all that belongs to it, until it is undeleted or erased. Nothing is removed."""
        return await describe(await records.run(of(records.tracker).delete, record_id), state, records)

    async def undelete(state: State, records: Records, record_id: str = named) -> Any:
        """Bring it back, with all that was hidden with it."""
        return await describe(await records.run(of(records.tracker).undelete, record_id), state, records)

    async def erase(records: Records, record_id: str = named) -> Erased:
        """Remove it for good, with all that belongs to it and the photos that nothing else shows.

        It must have been deleted before, so that no single request can do harm.
        """
        try:
            erased = await records.run(of(records.tracker).erase_deleted, record_id)
        finally:
            records.forget_pictures()
        return Erased.model_validate(erased)

    path = f"/{plural}/{{{kind}_id}}"
    for method, below, work, answer, summary in (
        ("DELETE", "", delete, model, f"Delete a {kind}"),
        ("POST", "/undelete", undelete, model, f"Undelete a {kind}"),
        ("POST", "/erase", erase, Erased, f"Erase a {kind} for good"),
    ):
        router.add_api_route(
            f"{path}{below}",
            work,
            methods=[method],
            response_model=answer,
            responses=failures(CONFLICT) if below else failures(),
            name=f"{work.__name__}_{kind}",
            summary=summary,
        )
