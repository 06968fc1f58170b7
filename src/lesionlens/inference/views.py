"""Test-time augmentation: one picture shown to the network several ways, and its answers averaged.

A lesion has no up and no left, so a network should answer a mirrored or turned photograph alike; where it does not, the
mean of its answers is a little better than one of them.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from lesionlens.inference.engines.base import Engine, Outputs

__all__ = ["VIEW_COUNTS", "ViewCount", "run_views"]

FloatArray = npt.NDArray[np.float32]

ViewCount = Literal[1, 2, 4, 8]
VIEW_COUNTS: Final[tuple[int, ...]] = get_args(ViewCount)
"""How many ways a picture may be shown: as it is; and mirrored; and turned by half; and by quarters."""

# Whether mirrored left to right first, then quarter turns. Each count's views form a group, so that the mean answer is
# exactly the same for a picture and for any of its views.
_VIEWS: Final = (
    (False, 0),
    (True, 0),
    (False, 2),
    (True, 2),
    (False, 1),
    (True, 1),
    (False, 3),
    (True, 3),
)


def run_views(engine: Engine, batch: FloatArray, views: int) -> Outputs:
    """Run a batch through an engine, one pass for each view, and average.

    Args:
        engine: The engine.
        batch: float32 `[N, 3, size, size]`, N ≥ 1.
        views: One of `VIEW_COUNTS`; with 1 the result is the engine's own.

    Returns:
        logits: The mean over the views. maps: the mean of the views' maps, each turned back into place. features: those
        of the picture as it is, for which the reference statistics of `lesionlens.suitability` were taken.

    Raises:
        EngineError: The engine failed.
    """
    first = engine.run(batch)
    if views == 1:
        return first
    logits, maps = first.logits.astype(np.float64), first.maps.astype(np.float64)
    for mirrored, turns in _VIEWS[1:views]:
        outputs = engine.run(_shown(batch, mirrored, turns))
        logits += outputs.logits
        maps += _turned_back(outputs.maps, mirrored, turns)
    return Outputs((logits / views).astype(np.float32), (maps / views).astype(np.float32), first.features)


def _shown(pixels: FloatArray, mirrored: bool, turns: int) -> FloatArray:
    view = pixels[..., ::-1] if mirrored else pixels
    return np.ascontiguousarray(np.rot90(view, turns, (-2, -1)))


def _turned_back(maps: FloatArray, mirrored: bool, turns: int) -> FloatArray:
    back = np.rot90(maps, -turns, (-2, -1))
    return back[..., ::-1] if mirrored else back
