"""What models say of visits' photos: asked for again, and the maps behind it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from lesionlens.api.choices import ClassChoice
from lesionlens.api.deadlines import within
from lesionlens.api.disconnect import while_connected
from lesionlens.api.limits import limit_rate
from lesionlens.api.present_tracker import Recalled, describe_analysis, describe_maps
from lesionlens.api.problems import DEADLINE_EXCEEDED, NOT_FOUND, RATE_LIMITED, RequestError
from lesionlens.api.routes.tracker.failures import failures
from lesionlens.api.routes.tracker.parameters import MapParameters
from lesionlens.api.schemas.tracker import AnalysisMaps, StoredAnalysis
from lesionlens.api.state import AppState, State
from lesionlens.api.tracking import Records, TrackerState
from lesionlens.classifier import Classifier
from lesionlens.tracker import NewAnalysis, Visit
from lesionlens.tracker import StoredAnalysis as AnalysisRecord
from lesionlens.tracker.creation import Creation

__all__ = ["analyse_photo", "analysis_by", "router"]

router = APIRouter(prefix="/v1", tags=["Visits"])


@router.post(
    "/visits/{visit_id}/analyses",
    status_code=201,
    response_model=StoredAnalysis,
    responses=failures(DEADLINE_EXCEEDED, RATE_LIMITED)
    | {200: {"model": StoredAnalysis, "description": "This very graph has analysed it before."}},
    dependencies=[Depends(limit_rate)],
    summary="Analyse a visit's photo by the running model",
)
async def analyse(
    visit_id: str, request: Request, response: Response, state: State, records: Records
) -> StoredAnalysis:
    """Analyse the photo of a visit by the running model, beside what others have said of it."""
    classifier, service = state.running
    visit = await records.run(records.tracker.visits.get, visit_id)
    known = analysis_by(classifier, visit)
    if known is not None:
        response.status_code = 200
        return describe_analysis(known, visit.photo, classifier)
    service.photos.check(service.retry_after())
    data = await records.run(records.tracker.visits.photo, visit_id)
    analysing = analyse_photo(visit_id, data, state, records)
    del data
    made = await while_connected(request, analysing)
    response.status_code = 201 if made.new else 200
    return describe_analysis(made.record, visit.photo, classifier)


@router.get("/analyses/{analysis_id}/maps", responses=failures(), summary="Give the maps of an analysis")
async def maps(analysis_id: str, query: Annotated[MapParameters, Query()], records: Records) -> AnalysisMaps:
    """Give the Grad-CAM maps of a kept analysis as numbers."""
    choice = ClassChoice("maps", query.maps)
    stored = await records.run(records.tracker.visits.analysis, analysis_id)
    values = await records.run(records.tracker.visits.maps, analysis_id)
    if values is None:
        raise RequestError(NOT_FOUND, f"No maps were stored with the analysis {analysis_id}.")
    return describe_maps(stored, values, choice.indexes(Recalled(stored)))


def analysis_by(classifier: Classifier, visit: Visit) -> AnalysisRecord | None:
    """Return the newest analysis of a visit by a model's very graph; None if there is none."""
    graph = classifier.manifest.graph_sha256
    return next((known for known in reversed(visit.analyses) if known.graph_sha256 == graph), None)


async def analyse_photo(visit_id: str, data: bytes, state: AppState, records: TrackerState) -> Creation[AnalysisRecord]:
    """Analyse the photo of a visit in the way of all photos, and keep what came of it.

    Args:
        visit_id: The visit.
        data: Its photo.
        state: The app's parts.
        records: The tracker.

    Raises:
        RequestError: Too many photos are waiting, or this one has waited too long.
        ImageError: The photo cannot be used.
        EngineError: The engine failed.
        RecordNotFoundError: The visit was deleted meanwhile.
        StoreError: The analysis could not be stored.
    """
    classifier, service = state.running
    analysing = service.analyse(data, lambda _: ())
    del data  # the service lets go of it once it is decoded
    outcome = await within(state.settings.request_timeout, analysing, service.retry_after)
    analysis = NewAnalysis.of(classifier, outcome.analysis)
    return await records.run(records.tracker.visits.add_analysis_once, visit_id, analysis)
