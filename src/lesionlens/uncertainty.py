"""From logits to probabilities that mean something, and to the ninth answer: not confident."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lesionlens.taxonomy import MALIGNANT_INDEXES, NOT_CONFIDENT_INDEX

__all__ = ["decide", "malignant_probability", "softmax"]

FloatArray = npt.NDArray[np.float32]


def softmax(logits: FloatArray, temperature: float = 1.0) -> FloatArray:
    """Return calibrated probabilities: softmax of the logits divided by a temperature (Guo et al. 2017).

    Args:
        logits: float32 `[..., 8]`.
        temperature: Greater than 0; above 1 makes the probabilities less certain.

    Returns:
        float32 `[..., 8]`; the last axis sums to 1.

    Raises:
        ValueError: The temperature is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be greater than 0, not {temperature}")
    scaled = logits.astype(np.float64) / temperature
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
