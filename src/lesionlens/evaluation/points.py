"""The figures on the pictures as they are: the official scorer's, and scikit-learn's where it has them.

A figure has a flat name, such as `balanced_accuracy`, `auc:MEL` or `sensitivity@specificity:0.9`; `resampled` gives the
same figures under the same names for many resamples at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from lesionlens.evaluation import official
from lesionlens.evaluation.calibration import brier_terms, expected_calibration_error
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.schema import FixedThreshold
from lesionlens.taxonomy import CODES, NUM_CLASSES
from lesionlens.uncertainty import malignant_probability

__all__ = ["TARGETS", "Operating", "confusion", "operating", "points", "rates"]

Bools = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.floating]
Rule = Literal["specificity", "sensitivity"]

TARGETS: Final[tuple[tuple[Rule, float], ...]] = (
    ("specificity", 0.80),
    ("specificity", 0.90),
    ("specificity", 0.95),
    ("sensitivity", 0.90),
    ("sensitivity", 0.95),
)
"""The operating points that are always reported: what is held at least, and where."""


class Operating(NamedTuple):
    """A point of the ROC curve.

    Attributes:
        threshold: Scores at or above it count as positive; None where no finite threshold reaches the target.
        sensitivity: 0–1.
        specificity: 0–1.
    """

    threshold: float | None
    sensitivity: float
    specificity: float


def operating(positive: Bools, score: Scores, rule: Rule, target: float) -> Operating | None:
    """Choose the threshold that holds one rate and is best in the other.

    Args:
        positive: bool `[N]`.
        score: `[N]`; higher means more likely positive.
        rule: The rate that must be held.
        target: The least value of it, 0–1.

    Returns:
        The best point (no interpolation between thresholds), or None if all pictures are positive or all negative.
    """
    if positive.all() or not positive.any():
        return None
    fpr, tpr, thresholds = roc_curve(positive, score, drop_intermediate=False)
    if rule == "specificity":
        best = int(tpr[fpr <= 1.0 - target + 1e-12].argmax())
    else:
        first = int((tpr >= target - 1e-12).argmax())
        best = int(np.flatnonzero(fpr == fpr[first])[-1])
    threshold = float(thresholds[best]) if np.isfinite(thresholds[best]) else None
    return Operating(threshold, float(tpr[best]), float(1.0 - fpr[best]))


def rates(positive: Bools, score: Scores, threshold: float) -> tuple[float, float]:
    """Return sensitivity and specificity at a threshold; NaN where there is no positive or no negative picture."""
    called = score >= threshold
    sensitivity = float(called[positive].mean()) if positive.any() else np.nan
    specificity = float((~called[~positive]).mean()) if not positive.all() else np.nan
    return sensitivity, specificity


def confusion(predictions: Predictions) -> npt.NDArray[np.int64]:
    """Return the counts int64 `[8, 8]`: row = truth, column = most probable class."""
    return np.asarray(confusion_matrix(predictions.label, predictions.top, labels=range(NUM_CLASSES)), dtype=np.int64)


def points(predictions: Predictions, fixed: Sequence[FixedThreshold] = ()) -> dict[str, float]:
    """Return every figure by name; NaN where it is not defined.

    Args:
        predictions: The pictures of one part.
        fixed: Thresholds on the malignant probability that were fixed beforehand.
    """
    label, top, confidence = predictions.label, predictions.top, predictions.confidence
    correct, answered = top == label, predictions.prediction < NUM_CLASSES
    ones = np.ones((1, len(predictions)))
    figures = {
        "accuracy": float(correct.mean()),
        "balanced_accuracy": official.balanced_accuracy(label, predictions.probabilities),
        "balanced_accuracy_sklearn": float(recall_score(label, top, labels=np.unique(label), average="macro")),
        "macro_f1": float(f1_score(label, top, labels=np.unique(label), average="macro", zero_division=0)),
        "ece": float(expected_calibration_error(ones, confidence, correct)[0]),
        "brier": float(brier_terms(predictions.probabilities.astype(np.float64), label).mean()),
        "answered": float(answered.mean()),
        "answered_accuracy": float(correct[answered].mean()) if answered.any() else np.nan,
        **_by_class(predictions),
        **_malignancy(predictions, fixed),
    }
    aucs = np.array([figures[f"auc:{code}"] for code in CODES])
    present = np.bincount(label, minlength=NUM_CLASSES) > 0
    figures["macro_auc"] = float(aucs[present].mean())
    return figures


def _by_class(predictions: Predictions) -> dict[str, float]:
    label, top = predictions.label, predictions.top
    figures: dict[str, float] = {}
    for k, code in enumerate(CODES):
        truth, said = label == k, top == k
        score = predictions.probabilities[:, k]
        some, others = bool(truth.any()), not truth.all()
        figures |= {
            f"sensitivity:{code}": float(recall_score(truth, said)) if some else np.nan,
            f"specificity:{code}": float(recall_score(truth, said, pos_label=False)) if others else np.nan,
            f"precision:{code}": float(precision_score(truth, said)) if said.any() else np.nan,
            f"f1:{code}": float(f1_score(truth, said)) if some else np.nan,
            f"auc:{code}": float(roc_auc_score(truth, score)) if some and others else np.nan,
            f"average_precision:{code}": float(average_precision_score(truth, score)) if some else np.nan,
        }
    return figures


def _malignancy(predictions: Predictions, fixed: Sequence[FixedThreshold]) -> dict[str, float]:
    positive, score = predictions.malignant, malignant_probability(predictions.probabilities)
    both = bool(positive.any() and not positive.all())
    figures = {"malignant_auc": float(roc_auc_score(positive, score)) if both else np.nan}
    for rule, target in TARGETS:
        point = operating(positive, score, rule, target)
        other = "sensitivity" if rule == "specificity" else "specificity"
        figures[f"{other}@{rule}:{target}"] = getattr(point, other) if point else np.nan
    for chosen in fixed:
        sensitivity, specificity = rates(positive, score, chosen.threshold)
        figures[f"sensitivity@manifest:{chosen.name}"] = sensitivity
        figures[f"specificity@manifest:{chosen.name}"] = specificity
    return figures
