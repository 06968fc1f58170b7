"""From an analysis to what `/v1` answers."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from lesionlens import DISCLAIMER
from lesionlens.api.schemas import (
    AnalysisResponse,
    ClassInfo,
    ClassMap,
    Confidence,
    EngineDescription,
    Malignancy,
    ModelDescription,
    ModelIdentity,
    PhotoInfo,
    PredictionSet,
    QualityInfo,
    ReachedPoint,
    SeenBox,
    SuitabilityInfo,
    SuitabilityRule,
    TimingsMs,
)
from lesionlens.api.service import Outcome
from lesionlens.classifier import Analysis, Classifier
from lesionlens.doubt import as_quality, as_suitability, explain
from lesionlens.inference.bundle import Manifest
from lesionlens.taxonomy import CODES, Diagnosis, diagnosis

__all__ = ["class_map", "describe_class", "describe_model", "present"]


def describe_class(answer: Diagnosis) -> ClassInfo:
    """Return an answer of the taxonomy as the API gives it."""
    return ClassInfo.model_validate(asdict(answer))


def describe_model(classifier: Classifier) -> ModelDescription:
    """Return what can be told of the model in use."""
    manifest = classifier.manifest
    return ModelDescription(
        name=manifest.name,
        version=manifest.version,
        architecture=manifest.architecture,
        sha256=manifest.graph_sha256,
        engine=EngineDescription(**classifier.engine_info._asdict()),
        classes=list(manifest.classes),
        preprocessing=manifest.preprocessing,
        temperature=manifest.temperature,
        logit_shift=None if manifest.logit_shift is None else list(manifest.logit_shift),
        confidence_threshold=manifest.confidence_threshold,
        prediction_set=manifest.prediction_set,
        suitability=_suitability_rule(manifest),
        operating_points=list(manifest.operating_points),
        calibration=manifest.calibration,
        training=manifest.training,
        results=manifest.results,
        card="/v1/model/card",
        disclaimer=DISCLAIMER,
    )


def present(
    outcome: Outcome, classifier: Classifier, *, maps: Sequence[int] | None, overlays: bool, upload_ms: float
) -> AnalysisResponse:
    """Return the answer to one photo.

    Args:
        outcome: What came of it.
        classifier: What computed it.
        maps: Classes 0–7 whose maps are given as numbers; None for no maps.
        overlays: Whether pictures were asked for.
        upload_ms: How long reading the upload took, in milliseconds.
    """
    analysis, manifest = outcome.analysis, classifier.manifest
    left, top, right, bottom = analysis.seen_box
    timings = asdict(outcome.timings) | {"upload": upload_ms, "total": outcome.timings.total + upload_ms}
    return AnalysisResponse(
        id=str(uuid.uuid4()),
        model=ModelIdentity.model_validate(classifier.description),
        prediction=describe_class(analysis.diagnosis),
        confident=analysis.confident,
        confidence=Confidence(
            rule=analysis.decided_by,
            threshold=manifest.confidence_threshold,
            max_probability=analysis.max_confidence,
            message=explain(analysis, manifest.confidence_threshold),
        ),
        most_probable=describe_class(diagnosis(analysis.top)),
        probabilities=analysis.probabilities_by_code,
        malignancy=Malignancy(
            probability=analysis.malignant_probability,
            operating_points=[
                ReachedPoint(**point.model_dump(), reached=analysis.malignant_probability >= point.threshold)
                for point in manifest.operating_points
            ],
        ),
        prediction_set=_prediction_set(analysis, manifest),
        suitability=_suitability(analysis),
        quality=QualityInfo.model_validate(as_quality(analysis.quality)),
        photo=PhotoInfo(width=outcome.width, height=outcome.height, format=outcome.format),
        seen_box=SeenBox(left=left, top=top, right=right, bottom=bottom),
        maps=None if maps is None else {CODES[i]: class_map(analysis.maps[i]) for i in maps},
        overlays=(
            {CODES[i]: base64.b64encode(png).decode("ascii") for i, png in outcome.overlays.items()}
            if overlays
            else None
        ),
        timings_ms=TimingsMs(**{step: round(ms, 2) for step, ms in timings.items()}),
        disclaimer=DISCLAIMER,
    )


def _prediction_set(analysis: Analysis, manifest: Manifest) -> PredictionSet | None:
    if analysis.prediction_set is None or manifest.prediction_set is None:
        return None
    return PredictionSet(
        coverage=manifest.prediction_set.coverage, codes=[CODES[index] for index in analysis.prediction_set]
    )


def _suitability(analysis: Analysis) -> SuitabilityInfo | None:
    finding = as_suitability(analysis.suitability)
    return None if finding is None else SuitabilityInfo.model_validate(finding)


def _suitability_rule(manifest: Manifest) -> SuitabilityRule | None:
    rule = manifest.out_of_distribution
    return None if rule is None else SuitabilityRule.model_validate(rule.model_dump(exclude={"file"}))


def class_map(values: npt.NDArray[np.float32]) -> ClassMap:
    """Return a map of one class as the API gives it; float32 `[h, w]`."""
    height, width = values.shape
    # Six digits carry all that single precision holds for a picture, in half the bytes of a double's seventeen.
    rows = [[float(f"{value:.6g}") for value in row] for row in values.tolist()]
    return ClassMap(height=height, width=width, values=rows)
