"""How figures are computed and written, the same in every part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

__all__ = ["dice", "share_with_interval", "with_interval"]

Bools = npt.NDArray[np.bool_]

_RESAMPLES = 2000


def dice(first: Bools, second: Bools) -> float:
    """Return the Dice coefficient of two masks; 1 if both are empty."""
    total = int(first.sum() + second.sum())
    return 2.0 * float((first & second).sum()) / total if total else 1.0


def with_interval(values: Sequence[float] | npt.NDArray[np.float64], seed: int) -> str:
    """Return a mean with its 95 % bootstrap interval (percentiles of the means of 2,000 resamples)."""
    drawn = np.random.default_rng(seed).integers(len(values), size=(_RESAMPLES, len(values)))
    low, high = np.percentile(np.asarray(values)[drawn].mean(axis=1), [2.5, 97.5])
    return f"{np.mean(values):.3f} ({low:.3f}–{high:.3f})"


def share_with_interval(count: int, total: int) -> str:
    """Return a share in percent with its 95 % interval (Clopper & Pearson 1934)."""
    if total == 0:
        return "0 of 0"
    bounds = binomtest(count, total).proportion_ci(0.95, method="exact")
    return f"{count} of {total} ({100 * count / total:.1f} %, {100 * bounds.low:.1f}–{100 * bounds.high:.1f})"
