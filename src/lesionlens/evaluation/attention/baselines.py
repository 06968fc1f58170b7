"""Maps that know nothing of the picture: what a heatmap has to beat."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.attention.geometry import enlarge

__all__ = ["CENTRE_SIGMA", "centre_gaussian", "random_map", "uniform_map"]

Floats = npt.NDArray[np.float32]

CENTRE_SIGMA: Final = 0.25
"""Standard deviation of the centre Gaussian as a share of the side. A photographer puts the lesion in the middle."""


def uniform_map(side: int) -> Floats:
    """Return float32 `[side, side]` of ones: its energy on a lesion is the lesion's share of the area."""
    return np.ones((side, side), dtype=np.float32)


def centre_gaussian(side: int, sigma: float = CENTRE_SIGMA) -> Floats:
    """Return a round Gaussian in the middle.

    Args:
        side: Side of the map in pixels.
        sigma: Standard deviation as a share of the side, greater than 0.

    Returns:
        float32 `[side, side]`, 0–1.
    """
    offset = (np.arange(side) - (side - 1) / 2.0) / (sigma * side)
    profile = np.exp(-0.5 * offset**2)
    return np.outer(profile, profile).astype(np.float32)


def random_map(grid: tuple[int, int], side: int, rng: np.random.Generator) -> Floats:
    """Return uniform noise on the class map's own grid, enlarged as a class map is.

    It takes pixels away in patches as large as the heatmap's, so only the places differ, not the texture: noise of
    single pixels would shatter the picture and lose to any smooth map.

    Args:
        grid: `(h, w)` of a class map.
        side: Side of the network's input in pixels.
        rng: Where the noise comes from.

    Returns:
        float32 `[side, side]`, 0–1.
    """
    return enlarge(rng.random(grid, dtype=np.float32), side)
