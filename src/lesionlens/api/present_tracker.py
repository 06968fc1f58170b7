"""From the tracker's records to what `/v1` answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from lesionlens import DISCLAIMER
from lesionlens.api.present import class_map, describe_class
from lesionlens.api.schemas import Malignancy, PhotoInfo, ReachedPoint, SeenBox
from lesionlens.api.schemas import tracker as schemas
from lesionlens.api.schemas.tracker.stored_analysis import StoredConfidence, StoredModel, StoredPredictionSet
from lesionlens.classifier import Classifier
from lesionlens.doubt import explain
from lesionlens.inference.bundle import Manifest
from lesionlens.taxonomy import CODES, NOT_CONFIDENT_INDEX, diagnosis
from lesionlens.tracker import Lesion, Photo, StoredAnalysis, Visit
from lesionlens.tracker.latest import LatestAnalysis

__all__ = ["Recalled", "describe_analysis", "describe_lesion", "describe_lesions", "describe_maps", "describe_visit"]

_LESION: Final = frozenset(schemas.Lesion.model_fields) - {"due", "latest"}
_VISIT: Final = ("id", "lesion_id", "taken_at", "note", "created_at", "updated_at", "deleted_at")


@dataclass(frozen=True, slots=True)
class Recalled:
    """A kept analysis, with what follows from it (as `lesionlens.classifier.Analysis` has it).

    Args:
        stored: What was kept.
    """

    stored: StoredAnalysis

    @property
    def top(self) -> int:
        """Index 0–7 of the most probable diagnosis."""
        return self.stored.probabilities.index(self.max_confidence)

    @property
    def max_confidence(self) -> float:
        """The highest of the eight probabilities."""
        return max(self.stored.probabilities)

    @property
    def suitable(self) -> bool | None:
        """Whether the model could judge the photo; None where that was not said."""
        suitability = self.stored.suitability
        return None if suitability is None else bool(suitability.get("suitable"))

    @property
    def decided_by(self) -> Literal["max_probability", "suitability"]:
        """The rule behind `confident`."""
        return "suitability" if self.suitable is False else "max_probability"

    @property
    def confident(self) -> bool:
        """Whether the answer may be relied on as far as the model could tell."""
        return self.stored.prediction != NOT_CONFIDENT_INDEX and self.suitable is not False


def describe_lesions(
    lesions: Sequence[Lesion], latest: Mapping[str, LatestAnalysis], classifier: Classifier
) -> list[schemas.Lesion]:
    """Return lesions as the API gives them.

    Args:
        lesions: The lesions.
        latest: What was last said of them, by id (`Lesions.latest`).
        classifier: The running model.
    """
    return [describe_lesion(lesion, latest.get(lesion.id), classifier) for lesion in lesions]


def describe_lesion(lesion: Lesion, latest: LatestAnalysis | None, classifier: Classifier) -> schemas.Lesion:
    """Return a lesion as the API gives it."""
    due = lesion.due_at is not None and lesion.due_at <= datetime.now(UTC)
    values: dict[str, Any] = {name: getattr(lesion, name) for name in _LESION}
    return schemas.Lesion(**values, due=due, latest=None if latest is None else _latest(latest, classifier))


def describe_visit(visit: Visit, classifier: Classifier) -> dict[str, Any]:
    """Return the members of a visit as the API gives them.

    Args:
        visit: The visit.
        classifier: The running model.
    """
    return {name: getattr(visit, name) for name in _VISIT} | {
        "photo": schemas.StoredPhoto.model_validate(visit.photo),
        "analyses": [describe_analysis(analysis, visit.photo, classifier) for analysis in visit.analyses],
    }


def describe_analysis(stored: StoredAnalysis, photo: Photo, classifier: Classifier) -> schemas.StoredAnalysis:
    """Return a kept analysis as the API gives it.

    Args:
        stored: The analysis.
        photo: What was analysed.
        classifier: The running model: thresholds and operating points of others are not known.
    """
    manifest = _manifest_of(stored, classifier)
    recalled = Recalled(stored)
    threshold = manifest.confidence_threshold if manifest else None
    return schemas.StoredAnalysis(
        id=stored.id,
        visit_id=stored.visit_id,
        created_at=stored.created_at,
        has_maps=stored.maps_shape is not None,
        model=StoredModel(
            name=stored.model,
            version=stored.version,
            sha256=stored.graph_sha256,
            architecture=manifest.architecture if manifest else None,
            engine=stored.engine,
        ),
        prediction=describe_class(diagnosis(stored.prediction)),
        confident=recalled.confident,
        confidence=StoredConfidence(
            rule=recalled.decided_by,
            threshold=threshold,
            max_probability=recalled.max_confidence,
            message=explain(recalled, threshold),
        ),
        most_probable=describe_class(diagnosis(recalled.top)),
        probabilities=dict(zip(CODES, stored.probabilities, strict=True)),
        malignancy=Malignancy(
            probability=stored.malignant_probability, operating_points=_operating_points(stored, manifest)
        ),
        prediction_set=_prediction_set(stored, manifest),
        suitability=stored.suitability,
        quality=stored.quality,
        photo=PhotoInfo(width=photo.width, height=photo.height, format=photo.media_type.split("/")[-1].upper()),
        seen_box=_seen_box(stored),
        disclaimer=DISCLAIMER,
    )


def describe_maps(stored: StoredAnalysis, maps: npt.NDArray[np.float32], wanted: Sequence[int]) -> schemas.AnalysisMaps:
    """Return maps of a kept analysis as the API gives them.

    Args:
        stored: The analysis.
        maps: float32 `[8, h, w]`, its maps.
        wanted: Classes 0–7.
    """
    return schemas.AnalysisMaps(seen_box=_seen_box(stored), maps={CODES[i]: class_map(maps[i]) for i in wanted})


def _latest(latest: LatestAnalysis, classifier: Classifier) -> schemas.LatestAnswer:
    stored = latest.analysis
    points = _operating_points(stored, _manifest_of(stored, classifier))
    return schemas.LatestAnswer(
        visit_id=latest.visit_id,
        analysis_id=stored.id,
        taken_at=latest.taken_at,
        malignant_probability=stored.malignant_probability,
        prediction=diagnosis(stored.prediction).code,
        suitable=Recalled(stored).suitable,
        reached=[point.name for point in points if point.reached],
        model=stored.model,
        version=stored.version,
    )


def _manifest_of(stored: StoredAnalysis, classifier: Classifier) -> Manifest | None:
    """Return the manifest under which an analysis was made; None if that model is not the one that is running.

    The graph alone does not tell: the same one may have been calibrated anew, under another version.
    """
    manifest = classifier.manifest
    same = (stored.graph_sha256, stored.version) == (manifest.graph_sha256, manifest.version)
    return manifest if same else None


def _operating_points(stored: StoredAnalysis, manifest: Manifest | None) -> list[ReachedPoint]:
    return [
        ReachedPoint(**point.model_dump(), reached=stored.malignant_probability >= point.threshold)
        for point in (manifest.operating_points if manifest else ())
    ]


def _prediction_set(stored: StoredAnalysis, manifest: Manifest | None) -> StoredPredictionSet | None:
    if stored.prediction_set is None:
        return None
    rule = manifest.prediction_set if manifest else None
    return StoredPredictionSet(
        coverage=rule.coverage if rule else None, codes=[CODES[index] for index in stored.prediction_set]
    )


def _seen_box(stored: StoredAnalysis) -> SeenBox | None:
    if stored.seen_box is None:
        return None
    left, top, right, bottom = stored.seen_box
    return SeenBox(left=left, top=top, right=right, bottom=bottom)
