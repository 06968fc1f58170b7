"""What `/v1` answers, typed. Further members may be added in later releases; none is removed or changes its meaning."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from lesionlens.api.examples import ANALYSIS, PROBLEM
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import OperatingPoint, PredictionSetRule, TrainingRecord

__all__ = [
    "AnalysisResponse",
    "ClassInfo",
    "ClassMap",
    "Confidence",
    "EngineDescription",
    "Malignancy",
    "ModelDescription",
    "ModelIdentity",
    "PhotoInfo",
    "Problem",
    "ProblemInfo",
    "ReachedPoint",
    "SeenBox",
    "Status",
    "TimingsMs",
]

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Milliseconds = Annotated[float, Field(ge=0.0)]


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True)


class ClassInfo(_Response):
    """One answer the service can give."""

    index: Annotated[int, Field(ge=0, le=8)]
    code: str = Field(description="ISIC 2019 code, or NOT_CONFIDENT.")
    name: str
    description: str
    malignant: bool | None = Field(description="null for NOT_CONFIDENT.")


class ModelIdentity(_Response):
    """What a result must be kept with."""

    name: str
    version: str
    sha256: str = Field(description="SHA-256 of the graph, lower-case hexadecimal.")
    architecture: str
    engine: str


class Confidence(_Response):
    """Why the answer is a diagnosis, or is not."""

    rule: str = Field(description="Which rule decided; `max_probability`: the highest probability against `threshold`.")
    threshold: Probability = Field(description="Below it the answer is NOT_CONFIDENT.")
    max_probability: Probability


class ReachedPoint(OperatingPoint):
    """An operating point of the model, and whether this photo reached it."""

    reached: bool


class Malignancy(_Response):
    """How likely any malignant diagnosis is."""

    probability: Probability = Field(description="Sum over MEL, BCC, AKIEC and SCC.")
    operating_points: list[ReachedPoint] = Field(description="Empty if none was measured for the model.")


class PhotoInfo(_Response):
    """The photo as sent, after its EXIF orientation was applied."""

    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    format: str


class SeenBox(_Response):
    """The part of the upright photo that the network saw, as shares of its sides."""

    left: Share
    top: Share
    right: Share
    bottom: Share


class ClassMap(_Response):
    """Grad-CAM of one class after the ReLU, not scaled; it lies over `seen_box`."""

    height: int
    width: int
    values: list[list[float]] = Field(description="Rows from top to bottom, six significant digits.")


class TimingsMs(_Response):
    """How long each step took, in milliseconds."""

    upload: Milliseconds
    decode: Milliseconds
    queue: Milliseconds
    inference: Milliseconds = Field(description="Of the batch that the photo was in.")
    overlay: Milliseconds
    total: Milliseconds


class AnalysisResponse(_Response):
    """The analysis of one photo."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [ANALYSIS]})

    id: str = Field(description="Unique to this answer; nothing is stored under it.")
    model: ModelIdentity
    prediction: ClassInfo = Field(description="The answer; NOT_CONFIDENT is one.")
    confident: bool
    confidence: Confidence
    most_probable: ClassInfo = Field(description="The most probable diagnosis, also when the answer is NOT_CONFIDENT.")
    probabilities: dict[str, Probability] = Field(description="Calibrated, by code, in model order; they sum to 1.")
    malignancy: Malignancy
    photo: PhotoInfo
    seen_box: SeenBox
    maps: dict[str, ClassMap] | None = Field(None, description="By code; null unless asked for.")
    overlays: dict[str, str] | None = Field(
        None, description="PNG files in base64, by code; null unless asked for. One that cannot be drawn is absent."
    )
    timings_ms: TimingsMs
    disclaimer: str


class EngineDescription(_Response):
    """What runs the model."""

    name: str
    version: str
    device: str
    precision: str
    threads: int


class ModelDescription(_Response):
    """The bundle's manifest, without the statistics that only the service needs."""

    name: str
    version: str
    architecture: str
    sha256: str
    engine: EngineDescription
    classes: list[str]
    preprocessing: PreprocessSpec
    temperature: float
    confidence_threshold: Probability
    prediction_set: PredictionSetRule | None
    operating_points: list[OperatingPoint]
    training: TrainingRecord | None = Field(description="null for weights of unknown origin.")
    results: dict[str, Any]
    card: str = Field(description="Path of the model card.")
    disclaimer: str


class Problem(_Response):
    """A failure (RFC 9457)."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [PROBLEM]})

    type: str = Field(description="Path of the problem's description.")
    title: str
    status: int
    detail: str = Field(description="What was wrong this time and what is accepted.")
    instance: str = Field(description="Path of the request.")
    request_id: str = ""
    errors: list[dict[str, str]] | None = Field(None, description="With `invalid-parameter`: each parameter.")


class ProblemInfo(_Response):
    """What a kind of failure means."""

    type: str
    title: str
    status: int
    description: str


class Status(_Response):
    """How the service is."""

    status: str
