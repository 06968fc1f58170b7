"""Whether a probability of 70 % is right 70 % of the time."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.schema import CoveragePoint, ReliabilityBin
from lesionlens.evaluation.weighted import ratio
from lesionlens.taxonomy import NUM_CLASSES

__all__ = ["ECE_BINS", "bin_of", "brier_terms", "coverage_curve", "expected_calibration_error", "reliability_bins"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ECE_BINS: Final = 15


def bin_of(confidence: Floats) -> Ints:
    """Return the bin of each highest probability: equal widths, `(m/15, (m+1)/15]` for m = 0–14.

    Args:
        confidence: float64 `[N]`, 0–1.
    """
    return np.clip(np.ceil(confidence * ECE_BINS).astype(np.int64) - 1, 0, ECE_BINS - 1)


def expected_calibration_error(weights: Floats, confidence: Floats, correct: Bools) -> Floats:
    """Return the expected calibration error of each weighting.

    Σ over bins of (share of pictures in the bin) · |accuracy − mean confidence|, on the highest probability, with 15
    equal-width bins: Guo, Pleiss, Sun & Weinberger 2017, *On Calibration of Modern Neural Networks*, ICML, eq. 3.

    Args:
        weights: float64 `[B, N]`.
        confidence: float64 `[N]`, highest probabilities.
        correct: bool `[N]`, whether the most probable class is right.

    Returns:
        float64 `[B]`, 0–1.
    """
    # |accuracy − confidence| · count is |Σ correct − Σ confidence| within the bin: empty bins need no special case.
    gaps = np.eye(ECE_BINS)[bin_of(confidence)] * (correct - confidence)[:, None]
    return ratio(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def reliability_bins(confidence: Floats, correct: Bools) -> tuple[ReliabilityBin, ...]:
    """Return what lies in each of the 15 bins; see `expected_calibration_error` for the arguments."""
    bins = bin_of(confidence)
    counts = np.bincount(bins, minlength=ECE_BINS)
    confidences, accuracies = (
        np.bincount(bins, values, ECE_BINS) / np.maximum(counts, 1) for values in (confidence, correct)
    )
    return tuple(
        ReliabilityBin(
            lower=m / ECE_BINS,
            upper=(m + 1) / ECE_BINS,
            count=int(counts[m]),
            confidence=float(confidences[m]) if counts[m] else None,
            accuracy=float(accuracies[m]) if counts[m] else None,
        )
        for m in range(ECE_BINS)
    )


def brier_terms(probabilities: Floats, labels: Ints) -> Floats:
    """Return each picture's share of the multi-class Brier score, Σ_k (p_k − y_k)².

    The original definition (Brier 1950, *Verification of forecasts expressed in terms of probability*): 0 is perfect,
    2 is certain and wrong; always answering ⅛ for each of eight classes gives 0.875.

    Args:
        probabilities: float64 `[N, 8]`.
        labels: int64 `[N]`.

    Returns:
        float64 `[N]`; the score is its mean.
    """
    return np.asarray(((probabilities - np.eye(NUM_CLASSES)[labels]) ** 2).sum(axis=1))


def coverage_curve(confidence: Floats, correct: Bools, steps: int = 100) -> tuple[CoveragePoint, ...]:
    """Return how much is answered, and how well, as the confidence threshold rises.

    The risk–coverage curve of El-Yaniv & Wiener 2010 (*On the Foundations of Noise-free Selective Classification*,
    JMLR), with accuracy = 1 − risk.

    Args:
        confidence: float64 `[N]`, highest probabilities.
        correct: bool `[N]`.
        steps: The thresholds are 0, 1/steps, …, 1.

    Returns:
        `steps + 1` points by rising threshold.
    """
    points = []
    for step in range(steps + 1):
        answered = confidence >= step / steps
        points.append(
            CoveragePoint(
                threshold=step / steps,
                answered=float(answered.mean()),
                accuracy=float(correct[answered].mean()) if answered.any() else None,
            )
        )
    return tuple(points)
