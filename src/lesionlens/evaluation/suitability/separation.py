"""How well a score tells two sets of pictures apart, with intervals that respect lesions and scenes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from lesionlens.evaluation.bootstrap import interval, resample_weights
from lesionlens.evaluation.figures import Estimate
from lesionlens.evaluation.weighted import Ranking, ratio

__all__ = ["MAX_RESAMPLES", "Drawn", "area", "separation", "share_above"]

Doubles = npt.NDArray[np.float64]

MAX_RESAMPLES: Final = 2000
"""More are not taken: all weights are kept in memory, since each set is compared with many others."""

_BLOCK: Final = 100


class Drawn:
    """A set of pictures with scores, and how often each was drawn in every resample.

    Args:
        scores: float64 `[N]`.
        groups: The lesion or scene of each picture, N long.
        resamples: Number of resamples; at most `MAX_RESAMPLES` are made.
        seed: Of the draw.
    """

    def __init__(self, scores: Doubles, groups: Sequence[str], resamples: int, seed: int) -> None:
        self.scores = scores
        self.weights = np.empty((0, len(scores)), dtype=np.float32)
        if resamples:
            blocks = resample_weights(groups, min(resamples, MAX_RESAMPLES), seed)
            self.weights = np.concatenate([block.astype(np.float32) for block in blocks])


def area(negative: Doubles, positive: Doubles) -> float:
    """Return the area under the ROC curve of two sets of scores: the chance that a positive one is the higher."""
    truth = np.repeat([False, True], [len(negative), len(positive)])
    return float(roc_auc_score(truth, np.concatenate([negative, positive])))


def separation(negative: Drawn, positive: Drawn) -> Estimate:
    """Return the area under the ROC curve of two sets of pictures.

    Each set is resampled by itself, so that the sizes of the sets stay as they are.
    """
    truth = np.repeat([False, True], [len(negative.scores), len(positive.scores)])
    scores = np.concatenate([negative.scores, positive.scores])
    ranking = Ranking(truth, scores)
    areas = []
    for start in range(0, len(negative.weights), _BLOCK):
        both = [drawn.weights[start : start + _BLOCK].astype(np.float64) for drawn in (negative, positive)]
        areas.append(ranking.curves(np.concatenate(both, axis=1)).auc())
    return _estimate(area(negative.scores, positive.scores), np.concatenate(areas) if areas else np.empty(0))


def share_above(drawn: Drawn, threshold: float, chosen: npt.NDArray[np.bool_] | None = None) -> Estimate:
    """Return the share of pictures whose score is above a threshold.

    Args:
        drawn: The pictures.
        threshold: The threshold.
        chosen: bool `[N]`, the pictures to look at; None for all.
    """
    part = np.ones(len(drawn.scores), dtype=np.bool_) if chosen is None else chosen
    above = drawn.scores > threshold
    weights = drawn.weights[:, part].astype(np.float64)
    return _estimate(float(above[part].mean()), ratio(weights @ above[part], weights.sum(axis=1)))


def _estimate(value: float, samples: Doubles) -> Estimate:
    low, high = interval(samples) or (None, None)
    return Estimate(value=value, low=low, high=high)
