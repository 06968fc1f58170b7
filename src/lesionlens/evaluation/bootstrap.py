"""Bootstrap intervals that respect lesions.

Photos of one lesion are not independent, so lesions are drawn with replacement, not photos (the cluster bootstrap:
Davison & Hinkley 1997, *Bootstrap Methods and their Application*, § 3.8). Intervals are percentiles (ibid. § 5.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["interval", "resample_weights"]

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
# A figure that more than a twentieth of the resamples leave undefined has no honest 95 % interval.
_LEAST_DEFINED = 0.95
# Cells of a block of weights: 4 MB of float64, small enough to stay near the processor.
_BLOCK_CELLS = 500_000


def resample_weights(groups: Sequence[str], resamples: int, seed: int) -> Iterator[Floats]:
    """Draw groups with replacement and yield how often each picture was drawn.

    Args:
        groups: The group of each picture, N long.
        resamples: Number of resamples in all.
        seed: The same seed gives the same resamples.

    Yields:
        float64 `[b, N]` blocks, `resamples` rows together. All pictures of a group have the same weight in a row.
    """
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    count = int(member.max()) + 1
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK_CELLS // len(member))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = rng.integers(count, size=(rows, count)) + np.arange(rows)[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        yield times[:, member].astype(np.float64)


def interval(values: Floats) -> tuple[float, float] | None:
    """Return the 95 % percentile interval.

    Args:
        values: float64 `[B]`, the figure on each resample; NaN where it is not defined.

    Returns:
        Low and high end, or None where they would mislead: no resamples, more than 5 % of them leave the figure
        undefined, or all of them agree (none of 3 recognised is no proof that none ever will be).
    """
    defined = values[~np.isnan(values)]
    if len(values) == 0 or len(defined) < _LEAST_DEFINED * len(values):
        return None
    tail = 100.0 * (1.0 - LEVEL) / 2.0
    low, high = np.percentile(defined, [tail, 100.0 - tail])
    return (float(low), float(high)) if low < high else None
