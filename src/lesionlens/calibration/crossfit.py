"""Judging a way of fitting on pictures that it was not fitted on, whole lesions at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionlens.calibration.scaling import Scaling, negative_log_likelihoods
from lesionlens.datasets import Sample
from lesionlens.datasets.folds import assign_folds
from lesionlens.evaluation.calibration import expected_calibration_error
from lesionlens.inference.records import Reliability

__all__ = ["FOLDS", "CrossFit", "Held", "crossfit", "folds_of", "gain", "reliability", "splits"]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Fit = Callable[[FloatArray, IntArray], Scaling]

FOLDS: Final = 5


class Held(NamedTuple):
    """What the network says of pictures that it was not trained on.

    Attributes:
        logits: float32 `[N, 8]`.
        labels: int64 `[N]`, 0–7.
        groups: str `[N]`; pictures of one lesion share it.
    """

    logits: FloatArray
    labels: IntArray
    groups: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lesions(self) -> int:
        """Number of lesions."""
        return len(np.unique(self.groups))

    def subset(self, mask: npt.NDArray[np.bool_]) -> Held:
        """Return the pictures where `mask` (bool `[N]`) is true."""
        return Held(self.logits[mask], self.labels[mask], self.groups[mask])


class CrossFit(NamedTuple):
    """A way of fitting, judged on what it was not fitted on.

    Attributes:
        probabilities: float32 `[N, 8]`, each picture's by a fit that did not see its lesion.
        nll: float64 `[N]`, their negative log-likelihoods in nats.
    """

    probabilities: FloatArray
    nll: Doubles


def folds_of(held: Held, folds: int = FOLDS, seed: int = 0) -> IntArray | None:
    """Return the fold of each picture, stratified by class, no lesion in two: int64 `[N]`.

    Args:
        held: The pictures.
        folds: Number of folds; as many as there are lesions if these are fewer.
        seed: Makes the split repeatable.

    Returns:
        The folds, or None for fewer than two lesions, which cannot be split.
    """
    if held.lesions < 2:
        return None
    samples = [Sample(str(i), int(k), str(g)) for i, (k, g) in enumerate(zip(held.labels, held.groups, strict=True))]
    return np.array([s.fold for s in assign_folds(samples, min(folds, held.lesions), seed)], dtype=np.int64)


def splits(folds: IntArray) -> Iterator[npt.NDArray[np.bool_]]:
    """Yield a mask (bool `[N]`) of the left-out pictures of each fold that has any."""
    yield from (folds == fold for fold in np.unique(folds))


def crossfit(held: Held, folds: IntArray, fit: Fit) -> CrossFit:
    """Fit on all folds but one and apply it to that one, for each in turn.

    Args:
        held: The pictures.
        folds: int64 `[N]`, the fold of each, at least two different ones.
        fit: Makes a scaling of logits and labels.
    """
    probabilities, nll = np.empty_like(held.logits), np.empty(len(held))
    for left_out in splits(folds):
        rest, judged = held.subset(~left_out), held.subset(left_out)
        scaling = fit(rest.logits, rest.labels)
        probabilities[left_out] = scaling.probabilities(judged.logits)
        nll[left_out] = negative_log_likelihoods(judged.logits, judged.labels, scaling)
    return CrossFit(probabilities, nll)


def gain(simple: Doubles, other: Doubles, groups: npt.NDArray[np.str_]) -> tuple[float, float]:
    """Return by how much a second way's mean loss is lower, and the standard error of that over lesions.

    Pictures of one lesion err together, so their differences are summed before their spread is taken (the
    cluster-robust standard error of a mean: Liang & Zeger 1986, *Longitudinal data analysis using generalized linear
    models*, Biometrika 73).

    Args:
        simple: float64 `[N]`, loss of each picture by the first way.
        other: float64 `[N]`, by the second.
        groups: str `[N]`, lesions; at least two different ones.
    """
    difference = simple - other
    mean = difference.mean()
    _, lesion = np.unique(groups, return_inverse=True)
    sums = np.bincount(lesion, difference - mean)
    error = np.sqrt(len(sums) / (len(sums) - 1) * (sums**2).sum()) / len(difference)
    return float(mean), float(error)


def reliability(probabilities: FloatArray, labels: IntArray, nll: Doubles) -> Reliability:
    """Return the mean negative log-likelihood, the expected calibration error and the balanced accuracy.

    Args:
        probabilities: float32 `[N, 8]`.
        labels: int64 `[N]`, 0–7.
        nll: float64 `[N]`, nats.
    """
    confidence, correct = probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1) == labels
    [ece] = expected_calibration_error(np.ones((1, len(labels))), confidence, correct)
    sensitivities = [float(correct[labels == k].mean()) for k in np.unique(labels)]
    return Reliability(nll=float(nll.mean()), ece=float(ece), balanced_accuracy=float(np.mean(sensitivities)))
