"""`/v1`: the service's own, richer surface."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import PlainTextResponse

from lesionlens.api.access import require_access_if_protected
from lesionlens.api.choices import ClassChoice
from lesionlens.api.limits import limit_rate
from lesionlens.api.openapi import PHOTO_PART, PROBLEM_CONTENT, multipart_body
from lesionlens.api.present import describe_class, describe_model, present
from lesionlens.api.problems import NOT_FOUND, PROBLEMS, RATE_LIMITED, RequestError
from lesionlens.api.routes.reading import analyse_upload
from lesionlens.api.schemas import AnalysisResponse, ClassInfo, ModelDescription, ProblemInfo
from lesionlens.api.state import State
from lesionlens.taxonomy import BY_CODE

__all__ = ["router"]

_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    **{
        status: {"description": "; ".join(p.title for p in PROBLEMS.values() if p.status == status), **PROBLEM_CONTENT}
        for status in (400, 408, 413, 415, 422, 500, 503)
    },
    429: {"description": RATE_LIMITED.title, **PROBLEM_CONTENT},
}
_CHOICE: Final = "`top`, `all`, or class codes with commas between them."

router = APIRouter(prefix="/v1")


@router.post(
    "/analyses",
    responses=_FAILURES,
    openapi_extra=multipart_body(PHOTO_PART),
    dependencies=[Depends(require_access_if_protected), Depends(limit_rate)],
    tags=["Analyses"],
    summary="Analyse a photo",
)
async def analyse(
    request: Request,
    state: State,
    maps: Annotated[
        str | None, Query(description=f"Classes whose Grad-CAM is given as numbers: {_CHOICE}", examples=["top"])
    ] = None,
    overlay: Annotated[
        str | None, Query(description=f"Classes whose heatmap is drawn over the photo: {_CHOICE}", examples=["MEL,NV"])
    ] = None,
) -> AnalysisResponse:
    """Analyse one photo: calibrated probabilities, an answer or "not confident", and what the network looked at.

    Nothing is stored.
    """
    numbers, pictures = ClassChoice("maps", maps), ClassChoice("overlay", overlay)
    outcome, upload_ms = await analyse_upload(request, state, pictures.indexes)
    classifier, _ = state.running
    return present(
        outcome,
        classifier,
        maps=numbers.indexes(outcome.analysis) if numbers.asked else None,
        overlays=pictures.asked,
        upload_ms=upload_ms,
    )


@router.get("/model", tags=["Model"], summary="Describe the model")
async def model(state: State) -> ModelDescription:
    """Say which model answers, how it was trained and what was measured of it."""
    classifier, _ = state.running
    return describe_model(classifier)


@router.get(
    "/model/card",
    tags=["Model"],
    summary="Model card",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/markdown": {}}, "description": "Markdown"}, 404: PROBLEM_CONTENT},
)
def card(state: State) -> PlainTextResponse:
    """Give the model card."""
    classifier, _ = state.running
    text = classifier.bundle.model_card
    if not text:
        raise RequestError(NOT_FOUND, f"The model {classifier.manifest.name!r} has no model card.")
    return PlainTextResponse(text, media_type="text/markdown")


@router.get("/classes", tags=["Model"], summary="List the answers")
async def classes() -> list[ClassInfo]:
    """List the eight diagnoses in model order, then "not confident"."""
    return [describe_class(answer) for answer in BY_CODE.values()]


@router.get("/problems", tags=["Problems"], summary="List the kinds of failure")
async def problems() -> list[ProblemInfo]:
    """List every kind of failure."""
    return [_describe_problem(slug) for slug in PROBLEMS]


@router.get(
    "/problems/{slug}", tags=["Problems"], summary="Explain a kind of failure", responses={404: PROBLEM_CONTENT}
)
async def problem(slug: str) -> ProblemInfo:
    """Explain the `type` of a problem document."""
    return _describe_problem(slug)


def _describe_problem(slug: str) -> ProblemInfo:
    if slug not in PROBLEMS:
        raise RequestError(NOT_FOUND, f"There is no kind of failure {slug!r}; known: {', '.join(PROBLEMS)}")
    kind = PROBLEMS[slug]
    return ProblemInfo(type=kind.uri, title=kind.title, status=kind.status, description=kind.description)
