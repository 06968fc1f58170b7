"""`/v1/tracker`: can the records be used, and by whom. Open to everybody, since a page must ask before it logs in."""

from __future__ import annotations

from fastapi import APIRouter, Request

from lesionlens.api.access import describe_access
from lesionlens.api.schemas.tracker import AccessInfo, CountsInfo, ModelName, TrackerStatus
from lesionlens.api.state import State
from lesionlens.api.tracking import Tracking

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["Tracker"])


@router.get("/tracker", summary="Can the records be used?")
async def status(request: Request, state: State, tracking: Tracking) -> TrackerStatus:
    """Say whether the tracker is on, whether this client may use it, and how much it holds."""
    classifier, _ = state.running
    access = AccessInfo(**describe_access(request))
    counts = None
    if tracking.enabled and access.granted:
        counts = CountsInfo.model_validate(await tracking.run(tracking.tracker.counts))
    model = classifier.description
    return TrackerStatus(
        enabled=tracking.enabled,
        reason=tracking.reason,
        access=access,
        model=ModelName(name=model["name"], version=model["version"], sha256=model["sha256"]),
        counts=counts,
    )
