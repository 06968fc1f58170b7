"""Does the heat lie on the lesion? Three measures of one map against one mask."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

__all__ = ["displacement", "energy_on", "grow", "points_at"]

Heat = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]


def energy_on(heat: Heat, lesion: Bools) -> float:
    """Return the share of the heat that lies on the lesion.

    The energy-based pointing game of Wang et al. 2020, *Score-CAM*, CVPR Workshops, with a mask instead of a box.

    Args:
        heat: `[H, W]`, 0 or more.
        lesion: bool `[H, W]`.

    Returns:
        0–1; 0 for a map without heat, which shows nothing of the lesion.
    """
    total = float(heat.sum(dtype=np.float64))
    return float(heat[lesion].sum(dtype=np.float64)) / total if total > 0.0 else 0.0


def points_at(heat: Heat, target: Bools) -> float:
    """Return whether the hottest point lies on the target.

    The pointing game of Zhang et al. 2018, *Top-down neural attention by excitation backprop*, IJCV 126, 1084–1102. Its
    tolerance is a target that was grown before.

    Args:
        heat: `[H, W]`, 0 or more.
        target: bool `[H, W]`: the lesion, perhaps grown.

    Returns:
        1 for a hit, 0 for a miss; where several points are equally hot, the share of them that hit, which is what
        drawing one of them would give on average. 0 for a map without heat, which points nowhere.
    """
    highest = heat.max()
    return float(target[heat == highest].mean()) if highest > 0.0 else 0.0


def grow(lesion: Bools, tolerance: float) -> Bools:
    """Add to a lesion every pixel that is at most `tolerance` pixels away from it.

    Args:
        lesion: bool `[H, W]`, true somewhere.
        tolerance: Distance between pixel centres, 0 or more.

    Raises:
        ValueError: The lesion is empty: nothing has a distance from it.
    """
    if not lesion.any():
        raise ValueError("an empty mask cannot be grown")
    return np.asarray(distance_transform_edt(~lesion) <= tolerance)


def displacement(heat: Heat, lesion: Bools) -> tuple[float, float] | None:
    """Return how far the heat's centre of mass lies from the lesion's.

    Over many pictures it averages to about zero unless maps are drawn at the wrong place.

    Args:
        heat: `[H, W]`, 0 or more.
        lesion: bool `[H, W]`, true somewhere.

    Returns:
        To the right and down, as shares of the width and the height, −1 to 1; None for a map without heat.
    """
    if heat.max() <= 0.0:
        return None
    (heat_x, heat_y), (lesion_x, lesion_y) = _centre(heat), _centre(lesion)
    return (heat_x - lesion_x) / heat.shape[1], (heat_y - lesion_y) / heat.shape[0]


def _centre(weights: Heat | Bools) -> tuple[float, float]:
    columns, rows = weights.sum(axis=0, dtype=np.float64), weights.sum(axis=1, dtype=np.float64)
    total = columns.sum()
    return float(columns @ np.arange(len(columns)) / total), float(rows @ np.arange(len(rows)) / total)
