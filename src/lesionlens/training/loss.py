"""The losses."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from lesionlens.training.config import TrainConfig

__all__ = ["classification_loss"]


def classification_loss(logits: torch.Tensor, labels: torch.Tensor, config: TrainConfig) -> torch.Tensor:
    """Return the mean loss of a batch.

    Cross-entropy with label smoothing (Szegedy et al. 2016), or the focal loss `(1 − p)^γ · CE` (Lin et al. 2017).

    Args:
        logits: `[N, 8]`, any floating type; computed in single precision.
        labels: int64 `[N]`, 0–7.
        config: The run's settings.
    """
    logits = logits.float()
    if config.loss == "focal":
        cross_entropy = F.cross_entropy(logits, labels, reduction="none")
        return ((1.0 - torch.exp(-cross_entropy)) ** config.focal_gamma * cross_entropy).mean()
    return F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
