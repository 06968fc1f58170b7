"""Metrics of many weightings of the same pictures at once: the arithmetic of the bootstrap.

A resample is a row of weights: how often each picture was drawn. Each function takes `[B, N]` weights and gives B
values in a few matrix operations. With weights of one they equal scikit-learn, which the tests hold them to.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lesionlens.taxonomy import NUM_CLASSES

__all__ = ["Curves", "Ranking", "confusions", "mean_over_present", "per_class", "ratio"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide element by element; NaN where the denominator is 0."""
    result = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def mean_over_present(values: Floats) -> Floats:
    """Mean over the last axis of the values that are not NaN; NaN where none is."""
    present = ~np.isnan(values)
    return ratio(np.where(present, values, 0.0).sum(axis=-1), present.sum(axis=-1).astype(np.float64))


def confusions(weights: Floats, labels: Ints, answers: Ints) -> Floats:
    """Return the confusion matrix of each weighting.

    Args:
        weights: float64 `[B, N]`.
        labels: int64 `[N]`, 0–7.
        answers: int64 `[N]`, 0–7, or 8 for an answer that is right for no label.

    Returns:
        float64 `[B, 8, 9]`, row = truth.
    """
    width = NUM_CLASSES + 1
    cells = np.eye(NUM_CLASSES * width)[labels * width + answers]
    return np.asarray((weights @ cells).reshape(len(weights), NUM_CLASSES, width))


def per_class(confusion: Floats) -> dict[str, Floats]:
    """Return sensitivity, specificity, precision and F1 of every class.

    Args:
        confusion: float64 `[B, 8, 9]` as `confusions` gives it.

    Returns:
        float64 `[B, 8]` each. Sensitivity and F1 are NaN for an absent class, specificity where there is no other
        class, precision for a class that is never the answer.
    """
    hits = np.einsum("bkk->bk", confusion[..., :NUM_CLASSES])
    support, answered = confusion.sum(axis=2), confusion.sum(axis=1)[:, :NUM_CLASSES]
    others = confusion.sum(axis=(1, 2))[:, None] - support
    return {
        "sensitivity": ratio(hits, support),
        "specificity": ratio(others - (answered - hits), others),
        "precision": ratio(hits, answered),
        "f1": ratio(2.0 * hits, np.where(support > 0, support + answered, 0.0)),
    }


class Ranking:
    """Pictures in order of a score, so that the ROC curve of a weighting is a cumulative sum.

    Args:
        positive: bool `[N]`.
        score: `[N]`; higher means more likely positive.
    """

    def __init__(self, positive: npt.NDArray[np.bool_], score: npt.NDArray[np.floating]) -> None:
        self._order = np.argsort(-score, kind="stable")
        self._positive = positive[self._order].astype(np.float64)
        ranked = score[self._order]
        # Pictures with equal scores pass a threshold together: only the last of each run is a point of the curve.
        self._last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)

    def curves(self, weights: Floats) -> Curves:
        """Return the ROC curve of each weighting (float64 `[B, N]`)."""
        ordered = weights[:, self._order]
        tp = np.cumsum(ordered * self._positive, axis=1)[:, self._last]
        return Curves(tp, np.cumsum(ordered, axis=1)[:, self._last] - tp)


class Curves(NamedTuple):
    """ROC curves of B weightings.

    Attributes:
        tp: float64 `[B, T]`, weight of the positives at or above each distinct threshold, from the highest down.
        fp: float64 `[B, T]`, weight of the negatives there.
    """

    tp: Floats
    fp: Floats

    def auc(self) -> Floats:
        """Return the area under each curve, trapezoidal: float64 `[B]`; NaN if one side is empty."""
        tp, fp = (np.pad(counts, ((0, 0), (1, 0))) for counts in self)
        area = (np.diff(fp, axis=1) * (tp[:, 1:] + tp[:, :-1])).sum(axis=1) / 2.0
        return ratio(area, tp[:, -1] * fp[:, -1])

    def average_precision(self) -> Floats:
        """Return Σ precision · increase of recall: float64 `[B]`; NaN without positives."""
        gained = np.diff(self.tp, axis=1, prepend=0.0)
        # Where nothing has been drawn yet, nothing was gained either, so any precision does.
        precision = np.nan_to_num(ratio(self.tp, self.tp + self.fp))
        return ratio((precision * gained).sum(axis=1), self.tp[:, -1])

    def sensitivity_at_specificity(self, target: float) -> Floats:
        """Return the highest sensitivity of a threshold with at least a specificity: float64 `[B]`."""
        reached = self.fp <= (1.0 - target) * self.fp[:, -1:] + 1e-9
        best = ratio(np.where(reached, self.tp, 0.0).max(axis=1), self.tp[:, -1])
        return np.where(self.fp[:, -1] > 0, best, np.nan)

    def specificity_at_sensitivity(self, target: float) -> Floats:
        """Return the highest specificity of a threshold with at least a sensitivity: float64 `[B]`."""
        reached = self.tp >= target * self.tp[:, -1:] - 1e-9
        best = 1.0 - ratio(np.where(reached, self.fp, np.inf).min(axis=1), self.fp[:, -1])
        return np.where(self.tp[:, -1] > 0, best, np.nan)
