"""What a model said of a photo when it was analysed, as it was kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from lesionlens.api.examples import ANALYSIS
from lesionlens.api.schemas.analysis import ClassMap, Malignancy, PhotoInfo, SeenBox
from lesionlens.api.schemas.base import Probability, Response
from lesionlens.api.schemas.doubt import QualityInfo, SuitabilityInfo
from lesionlens.api.schemas.model import ClassInfo
from lesionlens.api.schemas.tracker.base import Id

__all__ = [
    "STORED_ANALYSIS",
    "AnalysisMaps",
    "StoredAnalysis",
    "StoredConfidence",
    "StoredModel",
    "StoredPredictionSet",
]

_NOT_RUNNING: Final = "null for another model than the one that is running."
_NOT_STORED: Final = frozenset({"id", "maps", "overlays", "timings_ms"})

STORED_ANALYSIS: Final[dict[str, Any]] = {
    "id": "0199c2f5-9f77-7211-8c3d-0a1b2c3d4e5f",
    "visit_id": "0199c2f5-8d21-7c04-b3aa-91d2e3f4a5b6",
    "created_at": "2026-03-01T09:15:07.310442Z",
    "has_maps": True,
} | {name: value for name, value in ANALYSIS.items() if name not in _NOT_STORED}
"""An example, by its members."""

_MAPS: Final = {"seen_box": ANALYSIS["seen_box"], "maps": ANALYSIS["maps"]}


class StoredModel(Response):
    """The model that answered."""

    name: str
    version: str
    sha256: str = Field(description="SHA-256 of the graph, lower-case hexadecimal: what tells one model from another.")
    architecture: str | None = Field(description=_NOT_RUNNING)
    engine: str


class StoredConfidence(Response):
    """Why the answer may be relied on, or may not."""

    rule: Literal["max_probability", "suitability"] = Field(description="Which rule decided `confident`.")
    threshold: Probability | None = Field(description=f"Of the model; {_NOT_RUNNING}")
    max_probability: Probability
    message: str = Field(description="What decided, in words for a person.")


class StoredPredictionSet(Response):
    """The diagnoses that a conformal rule could not rule out."""

    coverage: Probability | None = Field(description=f"Of the model's rule; {_NOT_RUNNING}")
    codes: list[str] = Field(description="By falling probability.")


class StoredAnalysis(Response):
    """What a model said of a visit's photo. The members that `POST /v1/analyses` has too mean the same."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [STORED_ANALYSIS]})

    id: Id
    visit_id: Id
    created_at: datetime
    has_maps: bool = Field(description="Whether `GET /v1/analyses/{id}/maps` has something.")
    model: StoredModel
    prediction: ClassInfo = Field(description="NOT_CONFIDENT is one. Never show it without `confident`.")
    confident: bool = Field(description="Whether the answer may be relied on, as far as the model could tell.")
    confidence: StoredConfidence
    most_probable: ClassInfo
    probabilities: dict[str, Probability] = Field(description="By code, in model order.")
    malignancy: Malignancy = Field(description="Without operating points for a model that is not running.")
    prediction_set: StoredPredictionSet | None
    suitability: SuitabilityInfo | dict[str, Any] | None = Field(
        description="As it was kept; what another version of LesionLens kept may have other members."
    )
    quality: QualityInfo | dict[str, Any] | None = Field(description="Likewise.")
    photo: PhotoInfo
    seen_box: SeenBox | None
    disclaimer: str


class AnalysisMaps(Response):
    """The Grad-CAM maps of an analysis."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_MAPS]})

    seen_box: SeenBox | None = Field(description="What the maps lie over.")
    maps: dict[str, ClassMap] = Field(description="By code.")
