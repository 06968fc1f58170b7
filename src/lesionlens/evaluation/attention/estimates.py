"""Means over pictures, their quotients and differences, with intervals that respect lesions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.bootstrap import interval, resample_weights
from lesionlens.evaluation.figures import Estimate
from lesionlens.evaluation.weighted import ratio

__all__ = ["Means"]

Doubles = npt.NDArray[np.float64]


class Means:
    """The mean of each column over N pictures, on the pictures themselves and on resamples of their lesions.

    Args:
        columns: float64 `[N]` by name, N ≥ 1.
        groups: Lesion of each picture, N long.
        resamples: Number of bootstrap resamples; 0 for no intervals.
        seed: Of the resampling.
    """

    def __init__(self, columns: Mapping[str, Doubles], groups: Sequence[str], resamples: int, seed: int) -> None:
        values = np.column_stack(list(columns.values()))
        blocks = [
            weights @ values / weights.sum(axis=1, keepdims=True)
            for weights in resample_weights(groups, resamples, seed)
        ]
        # The first row is the pictures themselves, so that every formula is written once.
        rows = np.concatenate([values.mean(axis=0, keepdims=True), *blocks])
        self._rows: dict[str, Doubles] = {name: rows[:, i] for i, name in enumerate(columns)}

    def mean(self, name: str) -> Estimate:
        """Return the mean of a column."""
        return _estimate(self._rows[name])

    def quotient(self, numerator: str, denominator: str) -> Estimate:
        """Return the mean of one column over the mean of another; not defined where the latter is 0."""
        return _estimate(ratio(self._rows[numerator], self._rows[denominator]))

    def difference(self, minuend: str, subtrahend: str) -> Estimate:
        """Return the mean difference of two columns, picture by picture."""
        return _estimate(self._rows[minuend] - self._rows[subtrahend])


def _estimate(rows: Doubles) -> Estimate:
    if np.isnan(rows[0]):
        return Estimate(value=None)
    low, high = interval(rows[1:]) or (None, None)
    return Estimate(value=float(rows[0]), low=low, high=high)
