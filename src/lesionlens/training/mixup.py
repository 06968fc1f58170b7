"""Mixing pairs of training pictures, so that the network does not learn single pictures by heart."""

from __future__ import annotations

from typing import NamedTuple

import torch

__all__ = ["Mixed", "mixup"]


class Mixed(NamedTuple):
    """A batch whose pictures are each a weighted sum of two.

    Attributes:
        images: `[N, 3, H, W]`, in the type and place of the given pictures.
        partners: int64 `[N]`; labels of the second picture of each pair.
        share: Weight of the first picture, and so of its own label, 0-1.
    """

    images: torch.Tensor
    partners: torch.Tensor
    share: float


def mixup(images: torch.Tensor, labels: torch.Tensor, alpha: float) -> Mixed:
    """Mix every picture with another one of its batch (Zhang et al. 2018, *mixup: Beyond Empirical Risk Minimization*).

    Args:
        images: `[N, 3, H, W]`, floating.
        labels: int64 `[N]`.
        alpha: Both parameters of the Beta distribution that the share is drawn from, once a batch; 0 mixes nothing.
    """
    if not alpha:
        return Mixed(images, labels, 1.0)
    # Both draws come from the CPU's generator, whose state a checkpoint keeps.
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    order = torch.randperm(len(images)).to(images.device)
    return Mixed(torch.lerp(images[order], images, share), labels[order], share)
