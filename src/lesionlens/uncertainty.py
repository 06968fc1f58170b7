"""From logits to probabilities that mean something, to the ninth answer (not confident), and to prediction sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lesionlens.taxonomy import MALIGNANT_INDEXES, NOT_CONFIDENT_INDEX, NUM_CLASSES

if TYPE_CHECKING:
    from lesionlens.inference.bundle import PredictionSetRule

__all__ = ["decide", "in_sets", "malignant_probability", "prediction_sets", "softmax"]

FloatArray = npt.NDArray[np.float32]


def softmax(logits: FloatArray, temperature: float = 1.0, shift: Sequence[float] | None = None) -> FloatArray:
    """Return calibrated probabilities: the softmax of `(logits + shift) / temperature`.

    Without a shift this is temperature scaling (Guo et al. 2017, *On Calibration of Modern Neural Networks*). With one,
    it is bias-corrected temperature scaling (Alexandari et al. 2020, *Maximum Likelihood with Bias-Corrected
    Calibration is Hard-To-Beat at Label Shift Adaptation*), whose bias is shift / temperature.

    Args:
        logits: float32 `[..., 8]`.
        temperature: Greater than 0; above 1 makes the probabilities less certain.
        shift: What is added to the logits of each class, 8 numbers; None adds nothing.

    Returns:
        float32 `[..., 8]`; the last axis sums to 1.

    Raises:
        ValueError: The temperature is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be greater than 0, not {temperature}")
    scaled = (logits.astype(np.float64) + (0.0 if shift is None else np.asarray(shift))) / temperature
    exp = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    result: FloatArray = (exp / exp.sum(axis=-1, keepdims=True)).astype(np.float32)
    return result


def decide(probabilities: FloatArray, threshold: float = 0.5) -> npt.NDArray[np.int64]:
    """Return the answer for each row: the most probable class, or 8 when it is below the threshold.

    Args:
        probabilities: float32 `[N, 8]`.
        threshold: 0–1; a highest probability equal to it is confident.

    Returns:
        int64 `[N]`, values 0–8.
    """
    top = probabilities.argmax(axis=-1)
    return np.where(probabilities.max(axis=-1) < threshold, NOT_CONFIDENT_INDEX, top).astype(np.int64, copy=False)


def malignant_probability(probabilities: FloatArray) -> FloatArray:
    """Return the summed probability of the malignant diagnoses (MEL, BCC, AKIEC, SCC).

    Args:
        probabilities: float32 `[..., 8]`.

    Returns:
        float32 `[...]`, 0–1.
    """
    total = probabilities[..., list(MALIGNANT_INDEXES)].sum(axis=-1, dtype=np.float64)
    result: FloatArray = np.clip(total, 0.0, 1.0).astype(np.float32)
    return result


def in_sets(probabilities: FloatArray, rule: PredictionSetRule) -> npt.NDArray[np.bool_]:
    """Say which diagnoses are in the prediction set of each picture.

    A diagnosis is in the set when one minus its probability is at most its threshold (LAC: Sadinle, Lei & Wasserman
    2019, *Least Ambiguous Set-Valued Classifiers With Bounded Error Levels*). The most probable one always is: an empty
    set would tell a person nothing, and adding to a set cannot cost coverage.

    Args:
        probabilities: float32 `[N, 8]`, calibrated as they were when the rule was fitted.
        rule: The bundle's rule.

    Returns:
        bool `[N, 8]`; at least one is true in every row.
    """
    thresholds = np.asarray(rule.class_thresholds or (rule.threshold,) * NUM_CLASSES)
    # Double precision, as in fitting: in single precision a score on the threshold could round to the wrong side of it.
    inside: npt.NDArray[np.bool_] = 1.0 - probabilities.astype(np.float64) <= thresholds
    inside[np.arange(len(probabilities)), probabilities.argmax(axis=-1)] = True
    return inside


def prediction_sets(probabilities: FloatArray, rule: PredictionSetRule) -> list[tuple[int, ...]]:
    """Return the prediction set of each picture; equal probabilities give equal sets (nothing is drawn at random).

    Args:
        probabilities: float32 `[N, 8]`, calibrated.
        rule: The bundle's rule.

    Returns:
        For each picture the class indexes 0–7 in its set, by falling probability; equally probable ones in model order.
    """
    order = np.argsort(-probabilities, axis=-1, kind="stable")
    return [tuple(row[inside[row]].tolist()) for row, inside in zip(order, in_sets(probabilities, rule), strict=True)]
