"""The analysis of one photo."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from lesionlens.api.examples import ANALYSIS
from lesionlens.api.schemas.base import Probability, Response, Share
from lesionlens.api.schemas.doubt import Confidence, PredictionSet, QualityInfo, SuitabilityInfo
from lesionlens.api.schemas.model import ClassInfo, ModelIdentity
from lesionlens.inference.bundle import OperatingPoint

__all__ = ["AnalysisResponse", "ClassMap", "Malignancy", "PhotoInfo", "ReachedPoint", "SeenBox", "TimingsMs"]

Milliseconds = Annotated[float, Field(ge=0.0)]


class ReachedPoint(OperatingPoint):
    """An operating point of the model, and whether this photo reached it."""

    reached: bool


class Malignancy(Response):
    """How likely any malignant diagnosis is."""

    probability: Probability = Field(description="Sum over MEL, BCC, AKIEC and SCC.")
    operating_points: list[ReachedPoint] = Field(description="Empty if none was measured for the model.")


class PhotoInfo(Response):
    """The photo as sent, after its EXIF orientation was applied."""

    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    format: str


class SeenBox(Response):
    """The part of the upright photo that the network saw, as shares of its sides."""

    left: Share
    top: Share
    right: Share
    bottom: Share


class ClassMap(Response):
    """Grad-CAM of one class after the ReLU, not scaled; it lies over `seen_box`."""

    height: int
    width: int
    values: list[list[float]] = Field(description="Rows from top to bottom, six significant digits.")


class TimingsMs(Response):
    """How long each step took, in milliseconds."""

    upload: Milliseconds
    decode: Milliseconds
    queue: Milliseconds
    inference: Milliseconds = Field(description="Of the batch that the photo was in.")
    overlay: Milliseconds
    total: Milliseconds


class AnalysisResponse(Response):
    """The analysis of one photo."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [ANALYSIS]})

    id: str = Field(description="Unique to this answer; nothing is stored under it.")
    model: ModelIdentity
    prediction: ClassInfo = Field(
        description="The model's answer by the threshold alone; NOT_CONFIDENT is one. It is the same whether the "
        "photo is suitable or not: `confident` says whether it may be relied on."
    )
    confident: bool = Field(
        description="Whether the answer may be relied on, as far as the model can tell: a diagnosis reached the "
        "threshold, and the photo is suitable. Never show `prediction` without it."
    )
    confidence: Confidence
    most_probable: ClassInfo = Field(description="The most probable diagnosis, also when the answer is NOT_CONFIDENT.")
    probabilities: dict[str, Probability] = Field(description="Calibrated, by code, in model order; they sum to 1.")
    malignancy: Malignancy
    prediction_set: PredictionSet | None = Field(description="null for a model without a rule.")
    suitability: SuitabilityInfo | None = Field(
        description="null for a model without statistics of the pictures it was trained on."
    )
    quality: QualityInfo
    photo: PhotoInfo
    seen_box: SeenBox
    maps: dict[str, ClassMap] | None = Field(None, description="By code; null unless asked for.")
    overlays: dict[str, str] | None = Field(
        None, description="PNG files in base64, by code; null unless asked for. One that cannot be drawn is absent."
    )
    timings_ms: TimingsMs
    disclaimer: str
