"""The kinds of figures in `metrics.json`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ClassResult", "CoveragePoint", "Estimate", "OperatingResult", "Record", "ReliabilityBin", "Share"]

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Record(BaseModel):
    """A part of `metrics.json`: unchangeable, and strict about what it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(Record):
    """A figure and its 95 % bootstrap interval.

    Attributes:
        value: The figure on the pictures themselves; None where it is not defined (the AUC of an absent class, say).
        low: 2.5th percentile over the resamples; None without a bootstrap, or where it would mislead (see `interval`).
        high: 97.5th percentile.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


class ClassResult(Record):
    """One diagnosis against the other seven; the answer is the most probable class.

    Attributes:
        code: The diagnosis.
        support: Number of pictures of it.
        predicted: Number of pictures given it as answer.
        sensitivity: Share of its pictures that were recognised (recall).
        specificity: Share of the other pictures that were not given it.
        precision: Share of the pictures given it that are of it (positive predictive value).
        f1: Harmonic mean of precision and sensitivity.
        auc: Area under the ROC curve of its probability.
        average_precision: Average precision of its probability.
    """

    code: str
    support: int
    predicted: int
    sensitivity: Estimate
    specificity: Estimate
    precision: Estimate
    f1: Estimate
    auc: Estimate
    average_precision: Estimate


class OperatingResult(Record):
    """Malignant against benign at one threshold on the malignant probability.

    Attributes:
        rule: How the threshold was chosen: the best sensitivity with at least the target specificity, the best
            specificity with at least the target sensitivity, or fixed beforehand by the bundle (`manifest`).
        target: The specificity or sensitivity asked for; None for a fixed threshold.
        name: Name of the bundle's operating point; None otherwise.
        threshold: A lesion at or above it counts as suspicious; None if no threshold reaches the target.
        sensitivity: Share of malignant pictures at or above the threshold.
        specificity: Share of benign pictures below it.
    """

    rule: Literal["specificity", "sensitivity", "manifest"]
    target: Share | None = None
    name: str | None = None
    threshold: float | None
    sensitivity: Estimate
    specificity: Estimate


class ReliabilityBin(Record):
    """Pictures whose highest probability lies in `(lower, upper]`.

    Attributes:
        lower: Lower edge, 0–1.
        upper: Upper edge, 0–1.
        count: Number of pictures.
        confidence: Their mean highest probability; None for an empty bin.
        accuracy: Share of them whose most probable class is right; None for an empty bin.
    """

    lower: float
    upper: float
    count: int
    confidence: float | None
    accuracy: float | None


class CoveragePoint(Record):
    """What is answered, and how well, when answers below a threshold are withheld.

    Attributes:
        threshold: On the highest probability, 0–1.
        answered: Share of pictures at or above it (coverage).
        accuracy: Share of the answered pictures that are right (1 − selective risk); None if none is answered.
    """

    threshold: float
    answered: float
    accuracy: float | None
