"""Coverage and size of prediction sets, for many weightings of the same pictures at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.weighted import ratio
from lesionlens.taxonomy import CODES, NUM_CLASSES

__all__ = ["set_values", "sizes"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def set_values(
    weights: Floats, inside: Bools, labels: npt.NDArray[np.int64], groups: npt.NDArray[np.str_]
) -> dict[str, Floats]:
    """Measure prediction sets.

    Args:
        weights: float64 `[B, N]`, the same for all pictures of a lesion.
        inside: bool `[N, 8]`, what is in the set of each picture.
        labels: int64 `[N]`, 0–7.
        groups: str `[N]`, lesions.

    Returns:
        float64 `[B]` by name: `coverage`, `lesion_coverage`, `size`, `singletons` and `coverage:MEL` … `coverage:SCC`;
        NaN for a class without pictures.
    """
    covered, count = inside[np.arange(len(labels)), labels], inside.sum(axis=1)
    total = weights.sum(axis=1)
    _, lesion, pictures = np.unique(groups, return_inverse=True, return_counts=True)
    share = 1.0 / pictures[lesion]
    by_class = {k: labels == k for k in range(NUM_CLASSES)}
    return {
        "coverage": ratio(weights @ covered, total),
        "lesion_coverage": ratio(weights @ (share * covered), weights @ share),
        "size": ratio(weights @ count, total),
        "singletons": ratio(weights @ (count == 1), total),
        **{f"coverage:{CODES[k]}": ratio(weights @ (covered & own), weights @ own) for k, own in by_class.items()},
    }


def sizes(inside: Bools) -> tuple[int, ...]:
    """Return the number of sets (bool `[N, 8]`) that hold 1, 2, … 8 diagnoses."""
    counted = np.bincount(inside.sum(axis=1), minlength=NUM_CLASSES + 1)[1:]
    return tuple(int(n) for n in counted)
