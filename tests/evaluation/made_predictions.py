"""Predictions made up for the tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lesionlens.evaluation import Predictions
from lesionlens.uncertainty import decide, softmax


def made(
    labels: Sequence[int],
    logits: np.ndarray,
    groups: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    short_sides: Sequence[int] | None = None,
    threshold: float = 0.5,
) -> Predictions:
    n = len(labels)
    logits = np.asarray(logits, dtype=np.float32)
    probabilities = softmax(logits)
    return Predictions(
        image=np.array([f"ISIC_{i:07d}" for i in range(n)]),
        label=np.array(labels, dtype=np.int64),
        source=np.array(sources if sources is not None else [""] * n, dtype=np.str_),
        group=np.array(groups if groups is not None else range(n), dtype=np.str_),
        fold=np.zeros(n, dtype=np.int64),
        width=np.full(n, 600),
        height=np.array(short_sides if short_sides is not None else [256] * n, dtype=np.int64),
        logits=logits,
        probabilities=probabilities,
        prediction=decide(probabilities, threshold),
    )


def one_hot(answers: Sequence[int], sharpness: float = 4.0) -> np.ndarray:
    """Logits whose most probable class is the answer."""
    return sharpness * np.eye(8)[list(answers)]
