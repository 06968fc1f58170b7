"""The preference for common classes that training leaves in the logits, and how to take it off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["prior_shift"]


def prior_shift(counts: list[int], balance: float, strength: float) -> npt.NDArray[np.float32]:
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
    shift: npt.NDArray[np.float32] = (-strength * (logs - logs.mean())).astype(np.float32)
    return shift
