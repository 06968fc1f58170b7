"""Answers of a network whose faults are known, because they were put in."""

from __future__ import annotations

import numpy as np

from lesionlens.calibration.crossfit import Held
from lesionlens.uncertainty import softmax

SHARES = (0.18, 0.5, 0.13, 0.035, 0.1, 0.01, 0.01, 0.035)
"""How common the diagnoses are, as in ISIC 2019."""


def held(
    lesions: int,
    *,
    seed: int = 0,
    temperature: float = 1.0,
    bias: tuple[float, ...] = (0.0,) * 8,
    sharpness: float = 2.5,
    most_pictures: int = 1,
) -> Held:
    """Draw lesions whose true probabilities are softmax(logits / temperature + bias).

    Args:
        lesions: Number of lesions.
        seed: Of the draw.
        temperature: By how much the logits are too large.
        bias: What the logits lack, in log odds.
        sharpness: Spread of the true log odds.
        most_pictures: A lesion has between one and as many pictures, which are almost alike.
    """
    rng = np.random.default_rng(seed)
    true = rng.normal(0, sharpness, (lesions, 8)) + np.log(SHARES)
    pictures = np.repeat(np.arange(lesions), rng.integers(1, most_pictures + 1, lesions))
    probabilities = softmax(true.astype(np.float32)).astype(np.float64)
    labels = (rng.random((lesions, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, 7)
    seen = true[pictures] + rng.normal(0, 0.05, (len(pictures), 8)) * (most_pictures > 1)
    logits = ((seen - np.asarray(bias)) * temperature).astype(np.float32)
    return Held(logits, labels[pictures].astype(np.int64), pictures.astype(np.str_))
