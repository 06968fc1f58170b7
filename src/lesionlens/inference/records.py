"""The parts of a manifest: where the weights come from, and what was fitted after training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lesionlens.taxonomy import CODES

__all__ = [
    "CalibrationRecord",
    "Ingredient",
    "OperatingPoint",
    "PerClass",
    "PredictionSetRule",
    "Probability",
    "QuantisationRecord",
    "ReferenceRule",
    "Reliability",
    "StrictRecord",
    "TrainingRecord",
]

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
PerClass = Annotated[tuple[float, ...], Field(min_length=len(CODES), max_length=len(CODES))]


class StrictRecord(BaseModel):
    """A part of the manifest: unchangeable, and strict about what it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OperatingPoint(StrictRecord):
    """A threshold on the malignant probability, and what it achieved where it was measured.

    Attributes:
        name: What the point is for, such as `sensitivity_90`.
        threshold: Malignant probability (MEL + BCC + AKIEC + SCC) at or above which a lesion counts as suspicious.
        sensitivity: Share of malignant lesions at or above the threshold.
        specificity: Share of benign lesions below it.
        measured_on: The pictures it was chosen and measured on, in words.
    """

    name: str
    threshold: Probability
    sensitivity: Probability
    specificity: Probability
    measured_on: str


class PredictionSetRule(StrictRecord):
    """A conformal rule: which diagnoses stay possible (`lesionlens.uncertainty.in_sets` applies it).

    Attributes:
        method: `lac`: a diagnosis stays in the set when one minus its probability is at most a threshold.
        coverage: Share of pictures whose true diagnosis the set was built to hold.
        threshold: The threshold that holds the coverage over all pictures.
        class_thresholds: A threshold for each diagnosis, in model order, that holds the coverage among the pictures of
            that diagnosis, or of all rare ones together; None takes `threshold` for all.
        pictures: Number of pictures that it was fitted on; None if that is not recorded.
        lesions: Number of their lesions.
    """

    method: Literal["lac"] = "lac"
    coverage: Probability
    threshold: float
    class_thresholds: PerClass | None = None
    pictures: Annotated[int, Field(ge=1)] | None = None
    lesions: Annotated[int, Field(ge=1)] | None = None


class QuantisationRecord(StrictRecord):
    """How a bundle in floating point became this one, and how far its answers moved (`lesionlens.quantise`).

    Attributes:
        precision: Of the products of all parts but `float_parts`.
        method: How, and with which tool.
        source_name: Name of the bundle that it was made from.
        source_version: Version of its weights.
        source_sha256: SHA-256 of its graph.
        calibration_pictures: Number of pictures that the ranges were measured on.
        float_parts: Parts of the network that stay in floating point; `tail` is the last convolution and all behind it.
        measured_on: The pictures that both were compared on, in words.
        pictures: Their number.
        agreement: Share of them whose most probable diagnosis is the same.
        map_correlation: Mean correlation of the heatmaps of that diagnosis.
        probability_change: Mean of the largest move of a probability.
        balanced_accuracy_before: Of the bundle that it was made from.
        balanced_accuracy: Of this one.
        accepted: Whether that is within what is accepted (`lesionlens.quantise.compare`).
    """

    precision: Literal["int8"]
    method: str
    source_name: str
    source_version: str
    source_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    calibration_pictures: Annotated[int, Field(ge=1)]
    float_parts: tuple[str, ...]
    measured_on: str
    pictures: Annotated[int, Field(ge=1)]
    agreement: Probability
    map_correlation: Annotated[float, Field(ge=-1.0, le=1.0)]
    probability_change: Probability
    balanced_accuracy_before: Probability
    balanced_accuracy: Probability
    accepted: bool


class ReferenceRule(StrictRecord):
    """Which pictures the network should not judge (`lesionlens.suitability` applies it).

    Attributes:
        file: Name of the bundle's file with the statistics of training pictures; nothing in it is ever executed.
        sha256: SHA-256 of that file, lower-case hexadecimal.
        method: Layout and meaning of the file; this LesionLens reads `tails-1`.
        threshold: A picture whose score is above it is not suitable.
        false_alarms: Share of dermoscopic pictures above the threshold that it was set for.
        measured_on: The pictures that it was set on, in words.
    """

    file: Annotated[str, Field(pattern=r"^reference-[0-9a-z]+\.npz$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    method: Literal["tails-1"] = "tails-1"
    threshold: float
    false_alarms: Probability
    measured_on: str


class Reliability(StrictRecord):
    """How well probabilities fit pictures that they were not fitted on.

    Attributes:
        nll: Mean negative log-likelihood of the true diagnosis, in nats.
        ece: Expected calibration error, 15 equal-width bins on the highest probability (Guo et al. 2017).
        balanced_accuracy: Mean sensitivity of the most probable diagnosis, over the diagnoses that occur; None if it
            was not recorded.
    """

    nll: Annotated[float, Field(ge=0.0)]
    ece: Probability
    balanced_accuracy: Probability | None = None


class CalibrationRecord(StrictRecord):
    """How `temperature`, `logit_shift`, `prediction_set` and `operating_points` came about.

    Attributes:
        method: `temperature`: one temperature; `bias_corrected_temperature`: and a shift for each class.
        pictures: Number of pictures fitted on; none of them was trained on.
        lesions: Number of their lesions.
        measured_on: The pictures, in words.
        fold: The fold they are, if they are one.
        uncalibrated: The softmax of the logits as they are, on the same pictures.
        temperature: One temperature, by cross-fitting over lesions; None where there are too few.
        bias_corrected_temperature: The same with a shift for each class.
        gain: How much lower the negative log-likelihood is with the shifts than without (cross-fitted).
        gain_error: Standard error of `gain`, over lesions.
        set_coverage: Share of the pictures whose set holds their diagnosis (cross-fitted); None without sets.
        set_size: Mean number of diagnoses in a set (cross-fitted).
        set_singletons: Share of the sets that hold a single diagnosis (cross-fitted).
    """

    method: Literal["temperature", "bias_corrected_temperature"]
    pictures: Annotated[int, Field(ge=1)]
    lesions: Annotated[int, Field(ge=1)]
    measured_on: str
    fold: int | None = None
    uncalibrated: Reliability
    temperature: Reliability | None = None
    bias_corrected_temperature: Reliability | None = None
    gain: float | None = None
    gain_error: Annotated[float, Field(ge=0.0)] | None = None
    set_coverage: Probability | None = None
    set_size: Annotated[float, Field(ge=1.0)] | None = None
    set_singletons: Probability | None = None


class TrainingRecord(StrictRecord):
    """Where the weights come from.

    Attributes:
        data: The pictures trained on, in words.
        licence: Licence that the data puts on the model.
        citations: How to cite the data.
        recipe: The settings of the training run.
        starting_weights: What training started from.
        earlier: How those were made, where they came from a bundle that says so.
        averaged: What the weights are an average of, if they are one.
    """

    data: str
    licence: str
    citations: tuple[str, ...] = ()
    recipe: dict[str, Any] = Field(default_factory=dict)
    starting_weights: str = "random"
    earlier: TrainingRecord | None = None
    averaged: tuple[Ingredient, ...] = ()

    def lineage(self) -> Iterator[TrainingRecord]:
        """Yield this training and all that its weights came from, each once and before those that it came from."""
        ordered: list[TrainingRecord] = []

        def visit(record: TrainingRecord) -> None:
            if record in ordered:
                return
            parts = [part.training for part in record.averaged]
            for source in (record.earlier, *parts):
                if source is not None:
                    visit(source)
            ordered.append(record)

        visit(self)
        yield from reversed(ordered)


class Ingredient(StrictRecord):
    """Weights that an average was made of.

    Attributes:
        share: How much they count, above 0; all shares of an average sum to 1.
        weights: What they are, in words.
        training: How they were made; None if that is not recorded.
    """

    share: Annotated[float, Field(gt=0.0, le=1.0)]
    weights: str
    training: TrainingRecord | None = None
