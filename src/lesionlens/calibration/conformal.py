"""Prediction sets that hold the true diagnosis at a promised rate (conformal prediction).

**The score** is one minus the probability of the true class (LAC). If the probabilities are right, no sets that hold a
coverage within every class are smaller on average than those of a threshold per class on it (Sadinle, Lei & Wasserman
2019, *Least Ambiguous Set-Valued Classifiers With Bounded Error Levels*, JASA 114). APS (Romano, Sesia & Candès 2020)
needs a random draw to keep its promise exactly, so that equal pictures get unequal sets, and without the draw its sets
are too large; RAPS (Angelopoulos et al. 2021) has two settings more, whose choice would use up pictures, which are
scarce here.

**A threshold per class** (Mondrian: Vovk, Gammerman & Shafer 2005, *Algorithmic Learning in a Random World*), because
half of the pictures are nevi: a single threshold keeps its promise on nevi and breaks it on what is rare, and much of
what is rare is malignant. Classes with few lesions share one, as in clustered conformal prediction (Ding, Angelopoulos,
Bates, Jordan & Tibshirani 2023, *Class-Conditional Conformal Prediction with Many Classes*, NeurIPS): the 90 % quantile
of ten scores is the largest of them, so a single odd lesion would put its class into nearly every set.

**Lesions are counted, not pictures alone.** Pictures of one lesion are alike: 12 pictures of 5 lesions are not 12
facts, and a promise that takes them for that is empty. That is why the quantile is computed here: crepes and MAPIE take
pictures for independent, and leave a class of too few to itself. Where every lesion has one picture, the sets are those
of crepes, which the tests hold them to.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionlens.calibration.crossfit import Held, splits
from lesionlens.inference.records import PredictionSetRule
from lesionlens.taxonomy import NUM_CLASSES
from lesionlens.uncertainty import in_sets

__all__ = [
    "COVERAGE",
    "LEAST_LESIONS",
    "SetFigures",
    "conformal_quantile",
    "crossfitted_sets",
    "fit_rule",
    "set_figures",
]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Strings = npt.NDArray[np.str_]

COVERAGE: Final = 0.90

LEAST_LESIONS: Final = 29
"""Lesions of a class for a threshold of its own. At 90 % the quantile is then the third largest score or a lower one;
the true coverage of a threshold from n lesions scatters as a Beta distribution, by ± 5 % at 29 and ± 9 % at 9."""


def conformal_quantile(scores: npt.NDArray[np.float64], groups: Strings, coverage: float) -> float | None:
    """Return the score that the pictures of new lesions stay below or at, in a share of at least `coverage` of them.

    The smallest score that a share of coverage · (K+1) / K of the N pictures of K lesions stays below or at. This is
    conformal risk control (Angelopoulos, Bates, Fisch, Lei & Schuster 2022, arXiv:2208.02814) of the pictures missed of
    a lesion, N / K being taken for the number of pictures of a new one; it is exact where all have equally many. With
    one picture of each it is the ⌈coverage · (K+1)⌉-th smallest score, the quantile of split conformal prediction.

    Args:
        scores: float64 `[N]`.
        groups: str `[N]`, lesions.
        coverage: 0–1, less than 1.

    Returns:
        The quantile; None if it is infinite, which it is for fewer than coverage / (1 − coverage) lesions.
    """
    lesions = len(np.unique(groups))
    # Less a hair, or rounding would ask for one picture more where the product is a whole number.
    rank = int(np.ceil(coverage * (lesions + 1) / max(lesions, 1) * len(scores) - 1e-9))
    return float(np.sort(scores)[rank - 1]) if 1 <= rank <= len(scores) else None


def fit_rule(
    probabilities: FloatArray, labels: IntArray, groups: Strings, coverage: float = COVERAGE, *, by_class: bool = True
) -> PredictionSetRule | None:
    """Fit the thresholds of the prediction sets.

    Classes with fewer than `LEAST_LESIONS` lesions are taken together; if they have no finite quantile even so (fewer
    than 9 lesions at 90 %), they get the threshold over all.

    Args:
        probabilities: float32 `[N, 8]`, calibrated, of pictures that were not trained on.
        labels: int64 `[N]`, 0–7.
        groups: str `[N]`, lesions.
        coverage: What the sets are to hold, 0–1, less than 1.
        by_class: A threshold for each class; else one for all.

    Returns:
        The rule; None for too few lesions.
    """
    scores = 1.0 - probabilities[np.arange(len(labels)), labels].astype(np.float64)
    threshold = conformal_quantile(scores, groups, coverage)
    if threshold is None:
        return None
    thresholds = None
    if by_class:
        own = [labels == k for k in range(NUM_CLASSES)]
        few = [len(np.unique(groups[mask])) < LEAST_LESIONS for mask in own]
        rare = np.isin(labels, np.flatnonzero(few))
        found = [
            conformal_quantile(scores[mask], groups[mask], coverage)
            for mask in (rare if too_few else mask for mask, too_few in zip(own, few, strict=True))
        ]
        thresholds = tuple(threshold if value is None else value for value in found)
    return PredictionSetRule(
        coverage=coverage,
        threshold=threshold,
        class_thresholds=thresholds,
        pictures=len(labels),
        lesions=len(np.unique(groups)),
    )


class SetFigures(NamedTuple):
    """How prediction sets did on labelled pictures.

    Attributes:
        coverage: Share of the pictures whose set holds their diagnosis.
        by_class: The same for each class; NaN for a class without pictures.
        size: Mean number of diagnoses in a set.
        singletons: Share of the sets that hold a single diagnosis.
    """

    coverage: float
    by_class: tuple[float, ...]
    size: float
    singletons: float


def set_figures(inside: npt.NDArray[np.bool_], labels: IntArray) -> SetFigures:
    """Measure prediction sets.

    Args:
        inside: bool `[N, 8]`, what is in the set of each picture.
        labels: int64 `[N]`, 0–7.
    """
    covered, sizes = inside[np.arange(len(labels)), labels], inside.sum(axis=1)
    by_class = tuple(
        float(covered[labels == k].mean()) if (labels == k).any() else float("nan") for k in range(NUM_CLASSES)
    )
    return SetFigures(float(covered.mean()), by_class, float(sizes.mean()), float((sizes == 1).mean()))


def crossfitted_sets(
    probabilities: FloatArray, held: Held, folds: IntArray, coverage: float = COVERAGE, *, by_class: bool = True
) -> SetFigures | None:
    """Measure the rule on lesions that it was not fitted on, for each fold in turn.

    Args:
        probabilities: float32 `[N, 8]`, each by a scaling that did not see the lesion.
        held: The pictures.
        folds: int64 `[N]`, the fold of each, at least two different ones.
        coverage: What the sets are to hold.
        by_class: A threshold for each class; else one for all.

    Returns:
        The figures; None where what is left without one fold has too few lesions.
    """
    inside = np.empty(probabilities.shape, dtype=np.bool_)
    for left_out in splits(folds):
        rest = held.subset(~left_out)
        rule = fit_rule(probabilities[~left_out], rest.labels, rest.groups, coverage, by_class=by_class)
        if rule is None:
            return None
        inside[left_out] = in_sets(probabilities[left_out], rule)
    return set_figures(inside, held.labels)
