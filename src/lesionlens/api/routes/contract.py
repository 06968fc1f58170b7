"""The SkinTracker contract: `POST /predict` and `GET /health`. These two never change."""

from __future__ import annotations

import base64
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from lesionlens.api.access import require_access_if_protected
from lesionlens.api.examples import PREDICTION
from lesionlens.api.limits import limit_rate
from lesionlens.api.openapi import PHOTO_PART, multipart_body
from lesionlens.api.routes.reading import analyse_upload
from lesionlens.api.state import State
from lesionlens.taxonomy import NOT_CONFIDENT_INDEX
from lesionlens.uncertainty import decide

__all__ = ["router"]

# The contract fixes it; a bundle may set another threshold, which /v1 follows.
CONTRACT_THRESHOLD: Final = 0.5


class Prediction(BaseModel):
    """The contract's answer."""

    model_config = {"json_schema_extra": {"examples": [PREDICTION]}}

    prediction: int = Field(ge=0, le=8, description="Most probable class; 8 if `max_confidence` is below 0.5.")
    probabilities: list[float] = Field(
        min_length=9, max_length=9, description="Classes 0–7, then 1.0 if not confident, else 0.0."
    )
    max_confidence: float
    gradcam: str | None = Field(None, description="PNG in base64; absent only if it could not be made.")


class Failure(BaseModel):
    """The contract's failure."""

    error: str


class Health(BaseModel):
    """The contract's sign of life."""

    status: str = Field(examples=["healthy"])


_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Failure, "description": "The part `file` is missing or is not a readable image."},
    408: {"model": Failure, "description": "The upload took too long."},
    413: {"model": Failure, "description": "The file is too large or has too many pixels."},
    429: {"model": Failure, "description": "Too many requests; see `Retry-After`."},
    500: {"model": Failure, "description": "The service failed."},
    503: {"model": Failure, "description": "The service is busy; see `Retry-After`."},
}

router = APIRouter(tags=["SkinTracker contract"])


@router.post(
    "/predict",
    response_model=Prediction,
    responses=_FAILURES,
    openapi_extra=multipart_body(PHOTO_PART),
    dependencies=[Depends(require_access_if_protected), Depends(limit_rate)],
    summary="Classify a photo",
)
async def predict(request: Request, state: State) -> JSONResponse:
    """Classify one photo and draw the heatmap of its most probable class."""
    outcome, _ = await analyse_upload(request, state, lambda analysis: [analysis.top])
    analysis = outcome.analysis
    prediction = int(decide(analysis.probabilities[None], CONTRACT_THRESHOLD)[0])
    answer: dict[str, Any] = {
        "prediction": prediction,
        "probabilities": [*map(float, analysis.probabilities), 1.0 if prediction == NOT_CONFIDENT_INDEX else 0.0],
        "max_confidence": analysis.max_confidence,
    }
    if analysis.top in outcome.overlays:
        answer["gradcam"] = base64.b64encode(outcome.overlays[analysis.top]).decode("ascii")
    return JSONResponse(answer)


@router.get("/health", response_model=Health, summary="Sign of life")
async def health() -> JSONResponse:
    """Say that the service runs."""
    return JSONResponse({"status": "healthy"})
