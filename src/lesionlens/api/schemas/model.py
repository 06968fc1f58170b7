"""The model and the answers it can give."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from lesionlens.api.schemas.base import Probability, Response
from lesionlens.api.schemas.doubt import SuitabilityRule
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import TrainingRecord
from lesionlens.inference.records import CalibrationRecord, OperatingPoint, PredictionSetRule

__all__ = ["ClassInfo", "EngineDescription", "ModelDescription", "ModelIdentity"]


class ClassInfo(Response):
    """One answer the service can give."""

    index: Annotated[int, Field(ge=0, le=8)]
    code: str = Field(description="ISIC 2019 code, or NOT_CONFIDENT.")
    name: str
    description: str
    malignant: bool | None = Field(description="null for NOT_CONFIDENT.")


class EngineDescription(Response):
    """What runs the model."""

    name: str
    version: str
    device: str
    precision: str
    threads: int


class ModelIdentity(Response):
    """What a result must be kept with."""

    name: str
    version: str
    sha256: str = Field(description="SHA-256 of the graph, lower-case hexadecimal.")
    architecture: str
    engine: str


class ModelDescription(Response):
    """The bundle's manifest, without the statistics that only the service needs."""

    name: str
    version: str
    architecture: str
    sha256: str
    engine: EngineDescription
    classes: list[str]
    preprocessing: PreprocessSpec
    temperature: float = Field(description="The logits are divided by it, after `logit_shift` was added.")
    logit_shift: list[float] | None = Field(description="Added to the logits, in model order; null adds nothing.")
    confidence_threshold: Probability
    prediction_set: PredictionSetRule | None = Field(description="How prediction sets are made; null for none.")
    suitability: SuitabilityRule | None = Field(
        description="How unsuitable photos are recognised; null if they are not."
    )
    operating_points: list[OperatingPoint]
    calibration: CalibrationRecord | None = Field(description="How all of these were fitted; null if unrecorded.")
    training: TrainingRecord | None = Field(description="null for weights of unknown origin.")
    results: dict[str, Any]
    card: str = Field(description="Path of the model card.")
    disclaimer: str
