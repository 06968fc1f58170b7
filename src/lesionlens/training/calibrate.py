"""What is fitted after training, on pictures that were not trained on: temperature and operating points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from lesionlens.inference.bundle import OperatingPoint
from lesionlens.taxonomy import MALIGNANT_INDEXES
from lesionlens.uncertainty import malignant_probability, softmax

__all__ = ["fit_temperature", "operating_points", "prior_shift"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


def prior_shift(counts: list[int], balance: float, strength: float) -> FloatArray:
    """Return what to add to the logits so that they stop preferring the classes that training drew more often.

    Logit adjustment (Menon et al. 2021): training drew class c in proportion to `counts[c] ** (1 − balance)`; taking
    the logarithm of that share off gives the classifier that is best for balanced accuracy.

    Args:
        counts: Training samples of each class.
        balance: `TrainConfig.balance` of the run.
        strength: 0 leaves the logits, 1 takes the whole preference off.

    Returns:
        float32 `[8]` with mean 0.
    """
    logs = (1.0 - balance) * np.log(np.maximum(np.asarray(counts, dtype=np.float64), 1.0))
    shift: FloatArray = (-strength * (logs - logs.mean())).astype(np.float32)
    return shift


def fit_temperature(logits: FloatArray, labels: IntArray) -> float:
    """Return the temperature with the lowest negative log-likelihood (Guo et al. 2017), between 0.2 and 5.

    Args:
        logits: float32 `[N, 8]`.
        labels: int64 `[N]`, 0–7.
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_temperature)
        return float(-log_softmax(scaled, axis=1)[rows, labels].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.2), np.log(5.0)), method="bounded").x))


def operating_points(
    logits: FloatArray,
    labels: IntArray,
    temperature: float,
    measured_on: str,
    sensitivities: tuple[float, ...] = (0.90, 0.95),
) -> tuple[OperatingPoint, ...]:
    """Return the highest thresholds on the malignant probability that reach given sensitivities.

    Args:
        logits: float32 `[N, 8]`.
        labels: int64 `[N]`, 0–7.
        temperature: The bundle's temperature.
        measured_on: The pictures, in words.
        sensitivities: Asked sensitivities, 0–1.

    Returns:
        A point for each; none where the pictures hold no malignant or no benign lesion.
    """
    scores = malignant_probability(softmax(logits, temperature)).astype(np.float64)
    malignant = np.isin(labels, MALIGNANT_INDEXES)
    if malignant.all() or not malignant.any():
        return ()
    descending = np.sort(scores[malignant])[::-1]
    points = []
    for asked in sensitivities:
        threshold = float(descending[int(np.ceil(asked * len(descending))) - 1])
        points.append(
            OperatingPoint(
                name=f"sensitivity_{round(asked * 100)}",
                threshold=threshold,
                sensitivity=float((scores[malignant] >= threshold).mean()),
                specificity=float((scores[~malignant] < threshold).mean()),
                measured_on=measured_on,
            )
        )
    return tuple(points)
