"""The random states of a process, so that a run goes on as if it had never stopped."""

from __future__ import annotations

import random

import numpy as np
import torch

__all__ = ["random_state", "restore_random_state", "seed_everything"]


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and PyTorch, on the CPU and on every GPU."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def random_state() -> dict[str, torch.Tensor]:
    """Return PyTorch's random states: the CPU's, and the current GPU's where there is one.

    Everything else that is random in a run is drawn from generators seeded by epoch and position.
    """
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_random_state(states: dict[str, torch.Tensor]) -> None:
    """Go back to states that `random_state` returned; the GPU's only where there is one."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
