"""From predictions to `Metrics`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionlens import DISCLAIMER
from lesionlens.errors import DataError
from lesionlens.evaluation.attention.records import Attention
from lesionlens.evaluation.bootstrap import interval, resample_weights
from lesionlens.evaluation.calibration import coverage_curve, reliability_bins
from lesionlens.evaluation.groups.compare import group_report
from lesionlens.evaluation.points import TARGETS, confusion, operating, points
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.resampled import resampled
from lesionlens.evaluation.schema import (
    ClassResult,
    DataInfo,
    Estimate,
    FixedThreshold,
    Metrics,
    ModelInfo,
    OperatingResult,
    SliceResult,
)
from lesionlens.evaluation.slices import Slice, slices
from lesionlens.evaluation.suitability.records import SuitabilityReport
from lesionlens.evaluation.uncertainty.measure import measure_uncertainty
from lesionlens.taxonomy import CODES
from lesionlens.uncertainty import malignant_probability

__all__ = ["MAX_RESAMPLES", "SEED", "evaluate", "package_versions"]

SEED = 0
MAX_RESAMPLES = 100_000
_PACKAGES = ("lesionlens", "numpy", "pillow", "scikit-learn", "isic-challenge-scoring")
_SCALARS = (
    "balanced_accuracy",
    "accuracy",
    "macro_f1",
    "macro_auc",
    "malignant_auc",
    "ece",
    "brier",
    "answered",
    "answered_accuracy",
)
_CLASS_FIGURES = ("sensitivity", "specificity", "precision", "f1", "auc", "average_precision")


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that the figures depend on."""
    return {name: version(name) for name in _PACKAGES}


def evaluate(
    predictions: Predictions,
    *,
    model: ModelInfo | None = None,
    description: str = "",
    fold: int | None = None,
    limited_from: int | None = None,
    resamples: int = 1000,
    seed: int = SEED,
    attention: Attention | None = None,
    suitability: SuitabilityReport | None = None,
) -> Metrics:
    """Compute every figure, with intervals, on all pictures and on each part of them.

    Args:
        predictions: Truth and answers.
        model: The model that gave them; its operating points are measured too.
        description: The pictures in words.
        fold: The fold they are; None for no fold.
        limited_from: Number of pictures that they were drawn from, if they were.
        resamples: Number of bootstrap resamples of lesions, 0–100,000; 0 for no intervals.
        seed: Seed of the resampling: equal input and seed give an equal result.
        attention: What was measured of the heatmaps, if anything was; it is passed on as it is.
        suitability: What was measured of pictures that it should not judge; passed on likewise.

    Raises:
        DataError: `resamples` is out of range.
    """
    if not 0 <= resamples <= MAX_RESAMPLES:
        raise DataError(f"the number of bootstrap resamples must be 0–{MAX_RESAMPLES}, not {resamples}")
    fixed = model.operating_points if model else ()
    return Metrics(
        notice=DISCLAIMER,
        model=model,
        data=DataInfo(
            description=description,
            fold=fold,
            n=len(predictions),
            groups=len(np.unique(predictions.group)),
            limited_from=limited_from,
            predictions_sha256=hashlib.sha256(predictions.to_csv()).hexdigest(),
        ),
        bootstrap_resamples=resamples,
        seed=seed,
        packages=package_versions(),
        slices=tuple(_slice_result(predictions, part, fixed, resamples, seed) for part in slices(predictions)),
        attention=attention,
        suitability=suitability,
        uncertainty=measure_uncertainty(
            predictions, model.prediction_set if model else None, resamples=resamples, seed=seed
        ),
        groups=None if predictions.traits is None else group_report(predictions, fixed, resamples=resamples, seed=seed),
    )


class _Estimates:
    """Looks figures up by name, with their intervals."""

    def __init__(self, values: dict[str, float], samples: dict[str, npt.NDArray[np.float64]]) -> None:
        self._values, self._samples = values, samples

    def __getitem__(self, name: str) -> Estimate:
        value = self._values[name]
        if np.isnan(value):
            return Estimate(value=None)
        low, high = (interval(self._samples[name]) if self._samples else None) or (None, None)
        return Estimate(value=value, low=low, high=high)


def _slice_result(
    predictions: Predictions, part: Slice, fixed: Sequence[FixedThreshold], resamples: int, seed: int
) -> SliceResult:
    chosen = predictions.subset(part.mask)
    values = points(chosen, fixed)
    groups = chosen.group.tolist()
    estimates = _Estimates(values, resampled(chosen, resample_weights(groups, resamples, seed), fixed))
    counts = confusion(chosen)
    correct = chosen.top == chosen.label
    scalars: dict[str, Any] = {name: estimates[name] for name in _SCALARS}
    return SliceResult(
        key=part.key,
        title=part.title,
        n=len(chosen),
        groups=len(set(groups)),
        classes_present=tuple(CODES[k] for k in np.flatnonzero(counts.sum(axis=1))),
        balanced_accuracy_sklearn=values["balanced_accuracy_sklearn"],
        melanoma_auc=estimates["auc:MEL"],
        confusion=tuple(tuple(row) for row in counts.tolist()),
        classes=tuple(_class_result(k, counts, estimates) for k in range(len(CODES))),
        operating_points=(*_chosen_points(chosen, estimates), *_fixed_points(fixed, estimates)),
        reliability=reliability_bins(chosen.confidence, correct),
        coverage=coverage_curve(chosen.confidence, correct),
        **scalars,
    )


def _class_result(k: int, counts: npt.NDArray[np.int64], estimates: _Estimates) -> ClassResult:
    figures: dict[str, Any] = {name: estimates[f"{name}:{CODES[k]}"] for name in _CLASS_FIGURES}
    return ClassResult(code=CODES[k], support=int(counts[k].sum()), predicted=int(counts[:, k].sum()), **figures)


def _chosen_points(predictions: Predictions, estimates: _Estimates) -> list[OperatingResult]:
    positive, score = predictions.malignant, malignant_probability(predictions.probabilities)
    results = []
    for rule, target in TARGETS:
        point = operating(positive, score, rule, target)
        if point is None:
            continue
        # Only the rate that was left free has an interval: the other is held by the choice of the threshold.
        free = "sensitivity" if rule == "specificity" else "specificity"
        both = {
            "sensitivity": Estimate(value=point.sensitivity),
            "specificity": Estimate(value=point.specificity),
            free: estimates[f"{free}@{rule}:{target}"],
        }
        results.append(OperatingResult(rule=rule, target=target, threshold=point.threshold, **both))
    return results


def _fixed_points(fixed: Sequence[FixedThreshold], estimates: _Estimates) -> list[OperatingResult]:
    return [
        OperatingResult(
            rule="manifest",
            name=point.name,
            threshold=point.threshold,
            sensitivity=estimates[f"sensitivity@manifest:{point.name}"],
            specificity=estimates[f"specificity@manifest:{point.name}"],
        )
        for point in fixed
    ]
