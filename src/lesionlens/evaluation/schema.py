"""What `metrics.json` holds: typed, versioned, and the same for every reader of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError

from lesionlens.errors import DataError
from lesionlens.evaluation.attention.records import Attention
from lesionlens.evaluation.figures import (
    ClassResult,
    CoveragePoint,
    Estimate,
    OperatingResult,
    Record,
    ReliabilityBin,
    Share,
)
from lesionlens.evaluation.groups.records import GroupReport
from lesionlens.evaluation.suitability.records import SuitabilityReport
from lesionlens.evaluation.uncertainty import Uncertainty
from lesionlens.inference.records import PredictionSetRule

__all__ = [
    "SCHEMA_VERSION",
    "ClassResult",
    "CoveragePoint",
    "DataInfo",
    "Estimate",
    "FixedThreshold",
    "Metrics",
    "ModelInfo",
    "OperatingResult",
    "ReliabilityBin",
    "SliceResult",
]

SCHEMA_VERSION: Final = 1


class FixedThreshold(Record):
    """A threshold on the malignant probability that was fixed before the evaluation.

    Attributes:
        name: Its name in the bundle's manifest.
        threshold: At or above it a lesion counts as suspicious.
    """

    name: str
    threshold: Share


class ModelInfo(Record):
    """The model that was measured.

    Attributes:
        name: Name in the manifest.
        version: Version of the weights.
        architecture: timm name of the network.
        sha256: SHA-256 of its graph.
        engine: Engine that ran it, its version, device and arithmetic in words.
        confidence_threshold: Below this highest probability its answer is "not confident".
        operating_points: The thresholds on the malignant probability in its manifest.
        train_folds: The folds that its manifest says it was trained on; empty if it does not say.
        validation_fold: The fold on which its manifest says that the epoch was chosen and the probabilities were
            calibrated; None if there was none or it does not say.
        prediction_set: The conformal rule in its manifest; None if it has none.
        calibration_fold: The fold that its probabilities were fitted on after training; None if it was none or it does
            not say.
    """

    name: str
    version: str
    architecture: str
    sha256: str
    engine: str
    confidence_threshold: Share
    operating_points: tuple[FixedThreshold, ...] = ()
    train_folds: tuple[int, ...] = ()
    validation_fold: int | None = None
    prediction_set: PredictionSetRule | None = None
    calibration_fold: int | None = None


class DataInfo(Record):
    """The pictures it was measured on.

    Attributes:
        description: In words.
        fold: The fold; None for all pictures.
        n: Number of pictures.
        groups: Number of lesions.
        limited_from: Number of pictures of which `n` were drawn at random; None if all were taken.
        predictions_sha256: SHA-256 of the `predictions.csv` that the figures were computed from.
    """

    description: str
    fold: int | None
    n: int
    groups: int
    limited_from: int | None = None
    predictions_sha256: str = ""


class SliceResult(Record):
    """All figures on one part of the pictures.

    Attributes:
        key: `all`, `short_side_ge_180`, `short_side_lt_180` or `source:<name>`.
        title: In words.
        n: Number of pictures.
        groups: Number of lesions.
        classes_present: Codes that occur; balanced accuracy and the macro averages are over these alone.
        balanced_accuracy: Mean sensitivity over the classes present, by the official ISIC scorer.
        balanced_accuracy_sklearn: The same by scikit-learn; differs only where highest probabilities tie exactly,
            which the official scorer counts as wrong.
        accuracy: Share of pictures whose most probable class is right.
        macro_f1: Mean F1 over the classes present.
        macro_auc: Mean one-against-rest AUC over the classes present.
        melanoma_auc: AUC of the melanoma probability.
        malignant_auc: AUC of the malignant probability against benign.
        ece: Expected calibration error, 15 equal-width bins on the highest probability.
        brier: Multi-class Brier score, 0–2.
        answered: Share of pictures that reach the model's confidence threshold.
        answered_accuracy: Accuracy on those.
        confusion: Counts, row = truth, column = most probable class, in taxonomy order.
        classes: One result per diagnosis, in taxonomy order.
        operating_points: Malignant against benign at thresholds.
        reliability: The 15 bins behind `ece`.
        coverage: Points of the risk–coverage curve, by rising threshold.
    """

    key: str
    title: str
    n: int
    groups: int
    classes_present: tuple[str, ...]
    balanced_accuracy: Estimate
    balanced_accuracy_sklearn: float
    accuracy: Estimate
    macro_f1: Estimate
    macro_auc: Estimate
    melanoma_auc: Estimate
    malignant_auc: Estimate
    ece: Estimate
    brier: Estimate
    answered: Estimate
    answered_accuracy: Estimate
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassResult, ...]
    operating_points: tuple[OperatingResult, ...]
    reliability: tuple[ReliabilityBin, ...]
    coverage: tuple[CoveragePoint, ...]


class Metrics(Record):
    """Everything measured in one evaluation.

    Attributes:
        schema_version: Version of this schema.
        notice: What the figures are not.
        model: The model; None when predictions of unknown origin were scored.
        data: The pictures.
        bootstrap_resamples: Number of resamples of lesions behind the intervals; 0 for none.
        seed: Seed of the resampling (and of the draw, where `data.limited_from` is set).
        packages: Versions of the packages that the figures depend on.
        slices: Results by part; `all` comes first.
        attention: Whether the heatmaps are right; None where that was not measured.
        uncertainty: Whether doubt is told where there is reason to; None in files of an earlier version.
        groups: Whom the model serves worse; None where the traits of the pictures were not looked up.
        suitability: Whether pictures that it should not judge are recognised; None where that was not measured.
    """

    schema_version: Literal[1] = 1
    notice: str
    model: ModelInfo | None
    data: DataInfo
    bootstrap_resamples: int
    seed: int
    packages: dict[str, str]
    slices: tuple[SliceResult, ...]
    attention: Attention | None = None
    uncertainty: Uncertainty | None = None
    groups: GroupReport | None = None
    suitability: SuitabilityReport | None = None

    def slice(self, key: str) -> SliceResult | None:
        """Return the results of a part, or None if no picture was in it."""
        return next((s for s in self.slices if s.key == key), None)

    @classmethod
    def load(cls, path: Path) -> Metrics:
        """Read a `metrics.json`.

        Raises:
            DataError: There is no such file or it does not fit this schema.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DataError(f"cannot read {path.name}: {error.strerror}") from error
        except ValidationError as error:
            raise DataError(
                f"{path.name} is no metrics file of schema version {SCHEMA_VERSION}: {error.error_count()} problem(s), "
                f"first at {'.'.join(map(str, error.errors()[0]['loc'])) or 'the top'}: {error.errors()[0]['msg']}"
            ) from error
