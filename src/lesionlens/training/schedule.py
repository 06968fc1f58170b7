"""The learning rate over a run."""

from __future__ import annotations

import math

from lesionlens.training.config import TrainConfig

__all__ = ["learning_rate"]


def learning_rate(step: int, steps: int, config: TrainConfig) -> float:
    """Return the learning rate of a step: a linear rise, then a cosine down to zero (Loshchilov and Hutter 2017).

    Args:
        step: Steps taken, from 0.
        steps: Steps of the whole run.
        config: The run's settings.
    """
    warmup = config.warmup * steps
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(1.0, steps - warmup)
    return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))
