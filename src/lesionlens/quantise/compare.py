"""How far the answers of one model are from those of another, over labelled pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from lesionlens.classifier import Analysis

__all__ = ["MAX_DROP", "MIN_AGREEMENT", "MIN_MAP_CORRELATION", "Answer", "Comparison", "compare", "map_correlation"]

MAX_DROP: Final = 0.005
"""Most that balanced accuracy may fall: half a point."""
MIN_AGREEMENT: Final = 0.98
"""Least share of pictures whose most probable diagnosis must stay."""
MIN_MAP_CORRELATION: Final = 0.95
"""Least mean correlation of the heatmaps before and after."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is kept of one analysis.

    Attributes:
        probabilities: float32 `[8]`.
        prediction: 0–8, where 8 is "not confident".
        maps: float32 `[8, h, w]`, Grad-CAM of every class.
    """

    probabilities: npt.NDArray[np.float32]
    prediction: int
    maps: npt.NDArray[np.float32]

    @classmethod
    def of(cls, analysis: Analysis) -> Answer:
        """Keep what is compared."""
        return cls(analysis.probabilities, analysis.prediction, analysis.maps)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far answers moved.

    Attributes:
        pictures: Number of pictures.
        agreement: Share of them whose most probable diagnosis is the same.
        same_answer: Share of them whose answer is the same, "not confident" being an answer.
        map_correlation: Mean Pearson correlation of the two heatmaps of the diagnosis that was the most probable one
            before; a map that is empty before and after counts as 1, one that is empty in one of them as 0.
        probability_change: Mean, over pictures, of the largest move of a probability.
        largest_change: Its largest value.
        balanced_accuracy_before: Mean sensitivity over the diagnoses that occur.
        balanced_accuracy: The same after.
    """

    pictures: int
    agreement: float
    same_answer: float
    map_correlation: float
    probability_change: float
    largest_change: float
    balanced_accuracy_before: float
    balanced_accuracy: float

    @property
    def drop(self) -> float:
        """By how much balanced accuracy fell; below 0 where it rose."""
        return self.balanced_accuracy_before - self.balanced_accuracy

    @property
    def failures(self) -> tuple[str, ...]:
        """What is not good enough, in words; empty when the answers may stand for those before."""
        found = []
        if not self.drop <= MAX_DROP:
            found.append(f"balanced accuracy fell by {100 * self.drop:.2f} points (at most {100 * MAX_DROP:g})")
        if not self.agreement >= MIN_AGREEMENT:
            found.append(f"{self.agreement:.2%} of the answers agree (at least {MIN_AGREEMENT:.0%})")
        if not self.map_correlation >= MIN_MAP_CORRELATION:
            found.append(f"the heatmaps correlate by {self.map_correlation:.3f} (at least {MIN_MAP_CORRELATION:g})")
        return tuple(found)


def compare(before: Sequence[Answer], after: Sequence[Answer], labels: Sequence[int]) -> Comparison:
    """Compare answers to the same pictures.

    Args:
        before: Those of the model that is stood for.
        after: Those of the model that is to stand for it, in the same order.
        labels: The true diagnoses, 0–7.

    Raises:
        ValueError: There are no pictures, or not as many of each.
    """
    if not before or not len(before) == len(after) == len(labels):
        raise ValueError(f"{len(before)} answers, {len(after)} others and {len(labels)} labels cannot be compared")
    first = np.stack([answer.probabilities for answer in before]).astype(np.float64)
    second = np.stack([answer.probabilities for answer in after]).astype(np.float64)
    tops, truth = first.argmax(1), np.asarray(labels)
    moves = np.abs(first - second).max(1)
    return Comparison(
        pictures=len(before),
        agreement=float((second.argmax(1) == tops).mean()),
        same_answer=float(np.mean([a.prediction == b.prediction for a, b in zip(before, after, strict=True)])),
        map_correlation=float(
            np.mean([map_correlation(a.maps[t], b.maps[t]) for a, b, t in zip(before, after, tops, strict=True)])
        ),
        probability_change=float(moves.mean()),
        largest_change=float(moves.max()),
        balanced_accuracy_before=_balanced_accuracy(tops, truth),
        balanced_accuracy=_balanced_accuracy(second.argmax(1), truth),
    )


def map_correlation(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    """Return the Pearson correlation of two heatmaps of the same shape; 1 if both are constant, 0 if one is."""
    centred = [values.astype(np.float64).ravel() - values.mean(dtype=np.float64) for values in (first, second)]
    lengths = [float(np.linalg.norm(values)) for values in centred]
    flat = [length <= 1e-12 for length in lengths]
    if any(flat):
        return float(all(flat))
    return float(centred[0] @ centred[1]) / (lengths[0] * lengths[1])


def _balanced_accuracy(predicted: npt.NDArray[np.int64], truth: npt.NDArray[np.int64]) -> float:
    return float(np.mean([(predicted[truth == label] == label).mean() for label in np.unique(truth)]))
