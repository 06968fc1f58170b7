"""Thresholds on the malignant probability for a sensitivity that is asked for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lesionlens.inference.records import OperatingPoint
from lesionlens.taxonomy import MALIGNANT_INDEXES
from lesionlens.uncertainty import malignant_probability

__all__ = ["operating_points"]


def operating_points(
    probabilities: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    measured_on: str,
    sensitivities: tuple[float, ...] = (0.90, 0.95),
) -> tuple[OperatingPoint, ...]:
    """Return the highest thresholds on the malignant probability that reach given sensitivities.

    Args:
        probabilities: float32 `[N, 8]`, calibrated, of pictures that were not trained on.
        labels: int64 `[N]`, 0–7.
        measured_on: The pictures, in words.
        sensitivities: Asked sensitivities, 0–1, greater than 0.

    Returns:
        A point for each; none where the pictures hold no malignant or no benign lesion.
    """
    scores = malignant_probability(probabilities).astype(np.float64)
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
