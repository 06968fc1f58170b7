"""What a training step makes small: the loss of a batch, with mixing and teachers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from lesionlens.training.config import TrainConfig
from lesionlens.training.loss import classification_loss
from lesionlens.training.mixup import mixup
from lesionlens.training.teachers import Teachers

__all__ = ["Objective"]


class Objective:
    """The loss of a batch of pictures.

    `(1 − d) · classification + d · T² · KL(teachers ‖ network)`, both at temperature `T` (Hinton et al. 2015,
    *Distilling the Knowledge in a Neural Network*), over mixed pictures if the run mixes them.

    Args:
        config: The run's settings.
        place: Moves a network to where it computes.
        autocast: Makes the context in which networks compute.

    Raises:
        DataError: A teacher cannot be used.
    """

    def __init__(
        self,
        config: TrainConfig,
        place: Callable[[nn.Module], nn.Module],
        autocast: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self._config = config
        self._autocast = autocast
        self._teachers = Teachers(config, place)

    def __call__(self, network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of a batch, with its gradients.

        Args:
            network: Gives logits `[N, 8]`.
            images: `[N, 3, H, W]`, where the network is.
            labels: int64 `[N]`, 0–7, likewise.
        """
        config = self._config
        mixed = mixup(images, labels, config.mixup)
        with self._autocast():
            logits = network(mixed.images).float()
        taught = config.distill if self._teachers else 0.0
        loss = torch.zeros((), device=logits.device)
        if taught < 1.0:
            loss = loss + (1.0 - taught) * self._classification(logits, labels, mixed.partners, mixed.share)
        if taught:
            with self._autocast():
                target = self._teachers.probabilities(mixed.images, config.distill_temperature)
            answer = F.log_softmax(logits / config.distill_temperature, dim=1)
            divergence = F.kl_div(answer, target, reduction="batchmean")
            loss = loss + taught * config.distill_temperature**2 * divergence
        return loss

    def _classification(
        self, logits: torch.Tensor, labels: torch.Tensor, partners: torch.Tensor, share: float
    ) -> torch.Tensor:
        loss = classification_loss(logits, labels, self._config)
        if share == 1.0:
            return loss
        return share * loss + (1.0 - share) * classification_loss(logits, partners, self._config)
