"""The figures of `points`, by the same names, on many resamples at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.calibration import brier_terms, expected_calibration_error
from lesionlens.evaluation.points import TARGETS
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.schema import FixedThreshold
from lesionlens.evaluation.weighted import Ranking, confusions, mean_over_present, per_class, ratio
from lesionlens.taxonomy import CODES, NUM_CLASSES
from lesionlens.uncertainty import malignant_probability

__all__ = ["resampled"]

Floats = npt.NDArray[np.float64]


def resampled(
    predictions: Predictions, blocks: Iterable[Floats], fixed: Sequence[FixedThreshold] = ()
) -> dict[str, Floats]:
    """Compute every figure on every resample.

    A threshold that is chosen to reach a target is chosen anew on each resample, as it was on the pictures themselves.

    Args:
        predictions: The pictures of one part.
        blocks: float64 `[b, N]` blocks of weights, as `resample_weights` yields them.
        fixed: Thresholds on the malignant probability that were fixed beforehand.

    Returns:
        float64 `[B]` by name; NaN where a resample leaves the figure undefined. Empty without blocks.
    """
    figures = _Figures(predictions, fixed)
    computed = [figures.of(weights) for weights in blocks]
    return {name: np.concatenate([block[name] for block in computed]) for name in (computed[0] if computed else ())}


class _Figures:
    """What does not change between resamples: orders, bins, terms."""

    def __init__(self, predictions: Predictions, fixed: Sequence[FixedThreshold]) -> None:
        self._label, self._top = predictions.label, predictions.top
        # The official scorer counts a tie for the highest probability as wrong: class 8 is nobody's label.
        highest = predictions.probabilities.max(axis=1, keepdims=True)
        tied = (predictions.probabilities == highest).sum(axis=1) > 1
        self._tied = bool(tied.any())
        self._official = np.where(tied, NUM_CLASSES, self._top)
        self._confidence, self._correct = predictions.confidence, self._top == self._label
        self._answered = (predictions.prediction < NUM_CLASSES).astype(np.float64)
        self._brier = brier_terms(predictions.probabilities.astype(np.float64), self._label)
        self._classes = [Ranking(self._label == k, predictions.probabilities[:, k]) for k in range(NUM_CLASSES)]
        score = malignant_probability(predictions.probabilities)
        self._malignant, self._positive = Ranking(predictions.malignant, score), predictions.malignant
        self._fixed = {point.name: score >= point.threshold for point in fixed}

    def of(self, weights: Floats) -> dict[str, Floats]:
        total = weights.sum(axis=1)
        confusion = confusions(weights, self._label, self._top)
        rates = per_class(confusion)
        official = per_class(confusions(weights, self._label, self._official)) if self._tied else rates
        answered = weights @ self._answered
        figures = {
            "accuracy": ratio(weights @ self._correct, total),
            "balanced_accuracy": mean_over_present(official["sensitivity"]),
            "balanced_accuracy_sklearn": mean_over_present(rates["sensitivity"]),
            "macro_f1": mean_over_present(rates["f1"]),
            "ece": expected_calibration_error(weights, self._confidence, self._correct),
            "brier": ratio(weights @ self._brier, total),
            "answered": ratio(answered, total),
            "answered_accuracy": ratio(weights @ (self._answered * self._correct), answered),
        }
        for name, values in rates.items():
            figures |= {f"{name}:{code}": values[:, k] for k, code in enumerate(CODES)}
        for code, ranking in zip(CODES, self._classes, strict=True):
            curves = ranking.curves(weights)
            figures[f"auc:{code}"] = curves.auc()
            figures[f"average_precision:{code}"] = curves.average_precision()
        figures["macro_auc"] = mean_over_present(np.stack([figures[f"auc:{code}"] for code in CODES], axis=1))
        return figures | self._malignancy(weights)

    def _malignancy(self, weights: Floats) -> dict[str, Floats]:
        curves = self._malignant.curves(weights)
        figures = {"malignant_auc": curves.auc()}
        for rule, target in TARGETS:
            if rule == "specificity":
                figures[f"sensitivity@specificity:{target}"] = curves.sensitivity_at_specificity(target)
            else:
                figures[f"specificity@sensitivity:{target}"] = curves.specificity_at_sensitivity(target)
        positives, negatives = weights @ self._positive, weights @ ~self._positive
        for name, called in self._fixed.items():
            figures[f"sensitivity@manifest:{name}"] = ratio(weights @ (called & self._positive), positives)
            figures[f"specificity@manifest:{name}"] = ratio(weights @ (~called & ~self._positive), negatives)
        return figures
