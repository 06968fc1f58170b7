"""The figures of a group, on many resamples at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.calibration import expected_calibration_error
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.schema import FixedThreshold
from lesionlens.evaluation.weighted import Ranking, confusions, mean_over_present, per_class, ratio
from lesionlens.taxonomy import BY_CODE, NUM_CLASSES
from lesionlens.uncertainty import malignant_probability

__all__ = ["Figures", "GroupFigures", "MalignancyFigures"]

Floats = npt.NDArray[np.float64]
Figures = dict[str, Floats]


class MalignancyFigures:
    """Malignant against benign: what a group and the other pictures are compared by.

    Args:
        predictions: The pictures.
        fixed: Thresholds on the malignant probability that were fixed beforehand.
    """

    def __init__(self, predictions: Predictions, fixed: Sequence[FixedThreshold]) -> None:
        score = malignant_probability(predictions.probabilities)
        self._positive = predictions.malignant
        self._ranking = Ranking(self._positive, score)
        self._called = {point.name: score >= point.threshold for point in fixed}

    def of(self, weights: Floats) -> Figures:
        """Return float64 `[B]` by name for weights `[B, N]`; NaN where a figure is not defined.

        The names are `malignant_auc` and, for each threshold, `sensitivity@NAME` and `specificity@NAME`.
        """
        figures = {"malignant_auc": self._ranking.curves(weights).auc()}
        positives, negatives = weights @ self._positive, weights @ ~self._positive
        for name, called in self._called.items():
            figures[f"sensitivity@{name}"] = ratio(weights @ (called & self._positive), positives)
            figures[f"specificity@{name}"] = ratio(weights @ (~called & ~self._positive), negatives)
        return figures


class GroupFigures:
    """All figures of a group.

    Args:
        predictions: Its pictures.
        fixed: Thresholds on the malignant probability that were fixed beforehand.
        classes: The classes 0–7 that balanced accuracy is over.
    """

    def __init__(self, predictions: Predictions, fixed: Sequence[FixedThreshold], classes: Sequence[int]) -> None:
        self._malignancy = MalignancyFigures(predictions, fixed)
        self._label, self._top, self._classes = predictions.label, predictions.top, list(classes)
        self._confidence, self._correct = predictions.confidence, self._top == self._label
        self._answered = (predictions.prediction < NUM_CLASSES).astype(np.float64)

    def of(self, weights: Floats) -> Figures:
        """Return float64 `[B]` by name for weights `[B, N]`; NaN where a figure is not defined."""
        sensitivity = per_class(confusions(weights, self._label, self._top))["sensitivity"]
        return self._malignancy.of(weights) | {
            "balanced_accuracy": mean_over_present(sensitivity[:, self._classes]),
            "melanoma_sensitivity": sensitivity[:, BY_CODE["MEL"].index],
            "ece": expected_calibration_error(weights, self._confidence, self._correct),
            "answered": ratio(weights @ self._answered, weights.sum(axis=1)),
        }
