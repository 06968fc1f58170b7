"""What a run is set up with: the loaders of its pictures, and its optimizer."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler

from lesionlens.training.config import TrainConfig

__all__ = ["make_loader", "make_optimizer"]


def make_loader(
    dataset: Dataset[Any], config: TrainConfig, device: torch.device, sampler: Sampler[Any] | None = None
) -> DataLoader[Any]:
    """Return a loader of batches.

    Args:
        dataset: The pictures.
        config: Says how large a batch is, and how many processes load.
        device: Where the batches will go.
        sampler: The order of the pictures; None for their own.
    """
    workers = config.workers
    return DataLoader(
        dataset,
        batch_size=config.batch_size,
        sampler=sampler,
        num_workers=workers,
        # Forking a process that has started OpenMP threads can hang; a fork server never has.
        multiprocessing_context="forkserver" if workers else None,
        prefetch_factor=4 if workers else None,
        pin_memory=device.type == "cuda",
        # Every start of a loader draws a seed; from the global generator, a resumed run would draw one more.
        generator=torch.Generator(),
    )


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """Return an optimizer of the weights that are not frozen; vectors (biases, norms) do not decay."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": config.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
    )
