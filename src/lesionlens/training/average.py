"""Exponential moving average of the weights."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["WeightAverage"]


class WeightAverage:
    """An exponential moving average of a network's weights and buffers, which generalises better than the last step.

    Its decay rises with the steps taken (as TensorFlow's does), so that a short run is not held back by its beginning.

    Args:
        model: The network to follow.
        decay: Decay per step in the long run; 0 follows the network exactly.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self.steps = 0
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take in the network's present weights."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps)) if self._decay else 0.0
        floats, values = [], []
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                floats.append(self.state[name])
                values.append(value)
            else:
                self.state[name].copy_(value)
        torch._foreach_lerp_(floats, values, 1.0 - decay)
