"""The parts of the pictures that are reported apart.

In ISIC 2019 resolution goes with the collection and the collection with the diagnosis, so a single figure over all
pictures rewards a network for telling the collections apart. The parts show whether it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionlens.datasets.isic import SMALL_SIDE
from lesionlens.evaluation.predictions import Predictions

__all__ = ["SHORT_SIDE", "Slice", "slices"]

SHORT_SIDE: Final = SMALL_SIDE
"""Pixels of the shorter side that divide sharp pictures from thumbnails."""


class Slice(NamedTuple):
    """One part of the pictures.

    Attributes:
        key: Its name in `metrics.json`.
        title: Its name for a reader.
        mask: bool `[N]`, which pictures are in it.
    """

    key: str
    title: str
    mask: npt.NDArray[np.bool_]


def slices(predictions: Predictions) -> Iterator[Slice]:
    """Yield the parts that hold a picture: all, by resolution, by source."""
    sharp = predictions.short_side >= SHORT_SIDE
    parts = [
        Slice("all", "All pictures", np.ones(len(predictions), dtype=np.bool_)),
        Slice(f"short_side_ge_{SHORT_SIDE}", f"{SHORT_SIDE} px and more", sharp),
        Slice(f"short_side_lt_{SHORT_SIDE}", f"Under {SHORT_SIDE} px", ~sharp),
    ]
    named = sorted(set(predictions.source.tolist()) - {""})
    parts += [Slice(f"source:{name}", name, predictions.source == name) for name in named]
    yield from (part for part in parts if part.mask.any())
