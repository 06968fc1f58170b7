"""The words and number formats that terminal, report and model card share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from lesionlens.evaluation.schema import Estimate, Metrics, OperatingResult, SliceResult
from lesionlens.evaluation.slices import SHORT_SIDE
from lesionlens.taxonomy import MALIGNANT_CODES

__all__ = [
    "HEADLINES",
    "MAIN_SLICES",
    "Headline",
    "bounds",
    "caution",
    "estimate_of",
    "folds_named",
    "main_slices",
    "malignant_share",
    "number",
    "operating_name",
    "source_slices",
    "spread",
]

Kind = Literal["share", "decimal"]

MAIN_SLICES: Final = ("all", f"short_side_ge_{SHORT_SIDE}", f"short_side_lt_{SHORT_SIDE}")


class Headline(NamedTuple):
    """A figure that is shown first.

    Attributes:
        name: Attribute of `SliceResult`.
        title: Its name for a reader.
        gloss: What it means, in plain words.
        kind: Shown as a percentage (`share`) or with three decimals (`decimal`).
    """

    name: str
    title: str
    gloss: str
    kind: Kind


HEADLINES: Final = (
    Headline(
        "balanced_accuracy",
        "Balanced accuracy",
        "How often a diagnosis is recognised, averaged over the diagnoses so that rare ones count as much. "
        "Guessing one of eight gives 12.5 %. The official ISIC score.",
        "share",
    ),
    Headline("accuracy", "Accuracy", "How often the most probable diagnosis is right.", "share"),
    Headline("macro_f1", "Macro F1", "Recognising and not over-calling a diagnosis, averaged over them.", "decimal"),
    Headline(
        "malignant_auc",
        "Malignant AUC",
        "Chance that a malignant lesion gets a higher malignant probability than a benign one; 0.5 is a coin toss.",
        "decimal",
    ),
    Headline("melanoma_auc", "Melanoma AUC", "The same for melanoma against everything else.", "decimal"),
    Headline("macro_auc", "Mean AUC", "The same, averaged over the diagnoses.", "decimal"),
    Headline(
        "ece",
        "Calibration error",
        "How far stated probabilities are from how often they are right (ECE, 15 bins); 0 is perfect.",
        "decimal",
    ),
    Headline("brier", "Brier score", "Squared error of all eight probabilities, 0 (perfect) to 2.", "decimal"),
    Headline("answered", "Answered", "Share of pictures that reach the confidence threshold.", "share"),
    Headline("answered_accuracy", "Right if answered", "Accuracy on those.", "share"),
)


def main_slices(metrics: Metrics) -> list[SliceResult]:
    """Return the results on all pictures and by resolution; parts without pictures, or equal to all, are left out."""
    found = [s for s in metrics.slices if s.key in MAIN_SLICES]
    return [s for s in found if s.key == "all" or s.n < found[0].n]


def source_slices(metrics: Metrics) -> list[SliceResult]:
    """Return the results by source."""
    return [s for s in metrics.slices if s.key.startswith("source:")]


def malignant_share(result: SliceResult) -> float:
    """Return the share of the pictures of a part that are malignant, 0–1."""
    return sum(c.support for c in result.classes if c.code in MALIGNANT_CODES) / result.n


def caution(metrics: Metrics) -> str:
    """Warn where the model says that it was trained, chosen or calibrated on what it was measured on; else empty."""
    if metrics.model is None:
        return ""
    folds, validation, measured = metrics.model.train_folds, metrics.model.validation_fold, metrics.data.fold
    warnings = []
    if folds and (measured is None or measured in folds):
        warnings.append(
            f"This model was trained on {folds_named(folds)}. If these are the same pictures, the figures show what it "
            "remembers, not how good it is."
        )
    if validation is not None and measured in (None, validation):
        warnings.append(
            f"The epoch was chosen and the probabilities were calibrated on fold {validation}. If these are the same "
            "pictures, the figures flatter the model."
        )
    fitted = metrics.model.calibration_fold
    if fitted is not None and fitted != validation and measured in (None, fitted):
        warnings.append(
            f"The probabilities were calibrated on fold {fitted}. If these are the same pictures, what is said of "
            "probabilities, prediction sets and thresholds flatters the model."
        )
    return " ".join(warnings)


def folds_named(folds: Sequence[int]) -> str:
    """Name folds: `fold 4`, `folds 1, 2, 3`."""
    return f"fold{'s' * (len(folds) > 1)} {', '.join(map(str, folds))}"


def estimate_of(result: SliceResult, name: str) -> Estimate:
    """Return a headline figure of a part."""
    estimate = getattr(result, name)
    if not isinstance(estimate, Estimate):
        raise TypeError(f"{name} is not an estimate")
    return estimate


def number(value: float | None, kind: Kind = "share") -> str:
    """Write a figure: `74.9 %`, `0.912`, or `–` if it is not defined."""
    if value is None:
        return "–"
    return f"{value:.1%}".replace("%", " %") if kind == "share" else f"{value:.3f}"


def bounds(estimate: Estimate, kind: Kind = "share") -> str:
    """Write an interval: `71.2–78.0`, `0.901–0.923`, or nothing if there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    if kind == "share":
        return f"{100 * estimate.low:.1f}–{100 * estimate.high:.1f}"
    return f"{estimate.low:.3f}–{estimate.high:.3f}"


def spread(estimate: Estimate, kind: Kind = "share") -> str:
    """Write a figure with its interval in brackets, as in `74.9 % (71.2–78.0)`."""
    inside = bounds(estimate, kind)
    return number(estimate.value, kind) + (f" ({inside})" if inside else "")


def operating_name(point: OperatingResult) -> str:
    """Say how the threshold of an operating point was chosen."""
    if point.rule == "manifest":
        return f"bundle: {point.name}"
    return f"{point.rule} at least {point.target:.0%}".replace("%", " %")
