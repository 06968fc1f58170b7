"""A second, closer look at a small lesion.

The pixel classifier was fitted on lesions that fill much of the picture. A mole photographed from further away is
easily missed, or outlined coarsely; enlarged, it looks like those.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lesionlens.tracker.change.pieces import centrality, largest_piece
from lesionlens.tracker.change.pixels import Stages, lesion_probability
from lesionlens.tracker.change.working import WORKING_SIDE

__all__ = ["Part", "look_closer", "part_around"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

# Chosen on small lesions of fold 1: with three and a half times less was gained, and below 64 px there are no details.
_AROUND: Final = 2.5  # times the lesion's longer extent
_SMALLEST: Final = 64  # pixels of the working size
_WORTH_IT: Final = 0.8  # of the picture's shorter side: a part larger than this shows nothing new
_FAINTEST: Final = 0.1  # probability: without any pixel above it there is nothing to look at
_SHARE_OF_BEST: Final = 0.5  # of the highest probability: what belongs to a spot that is not seen clearly


class Part(NamedTuple):
    """A square part of a picture, in pixels of the working size.

    Attributes:
        left: Its first column.
        top: Its first row.
        side: Its width and height.
    """

    left: int
    top: int
    side: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return np.s_[self.top : self.top + self.side, self.left : self.left + self.side]

    def cuts(self, mask: Bools) -> bool:
        """Return whether a mask, bool `[H, W]` of the whole picture, reaches the part's edge inside the picture."""
        height, width = mask.shape
        inside = mask[self.window]
        edges = (
            (self.top > 0, inside[0]),
            (self.top + self.side < height, inside[-1]),
            (self.left > 0, inside[:, 0]),
            (self.left + self.side < width, inside[:, -1]),
        )
        return any(within and bool(edge.any()) for within, edge in edges)


def part_around(mask: Bools, probability: Floats) -> Part | None:
    """Return the part of a picture that is worth a closer look.

    Args:
        mask: bool `[H, W]`, the lesion as seen so far; nowhere true if none was.
        probability: float32 `[H, W]`, 0–1, of lesion.

    Returns:
        A square around the lesion, or around the likeliest spot; None where it would be most of the picture, or where
        no spot is likely at all.
    """
    spot = mask
    if not spot.any():
        highest = float(probability.max())
        if highest < _FAINTEST:
            return None
        spot = largest_piece(probability > _SHARE_OF_BEST * highest, probability * centrality(probability.shape))
    rows, columns = (np.flatnonzero(spot.any(axis=axis)) for axis in (1, 0))
    extent = 1 + max(int(rows[-1] - rows[0]), int(columns[-1] - columns[0]))
    height, width = mask.shape
    shorter = min(height, width)
    side = min(max(round(_AROUND * extent), _SMALLEST), shorter)
    if side > _WORTH_IT * shorter:
        return None
    left = round((int(columns[0] + columns[-1]) + 1 - side) / 2.0)
    top = round((int(rows[0] + rows[-1]) + 1 - side) / 2.0)
    return Part(min(max(left, 0), width - side), min(max(top, 0), height - side), side)


def look_closer(pixels: npt.NDArray[np.uint8], part: Part, stages: Stages | None, smoothing: float) -> Floats:
    """Return the probability of lesion as it is with a part of the picture enlarged to the working size.

    Args:
        pixels: uint8 `[H, W, 3]`, RGB, at the working size.
        part: The part.
        stages: The fitted pixel classifier; None for the one that the package holds.
        smoothing: Standard deviation, in pixels of the enlarged part, of the blur of the probabilities.

    Returns:
        float32 `[H, W]`, 0–1; 0 outside of the part.
    """
    size = (WORKING_SIDE, WORKING_SIDE)
    enlarged = cv2.resize(pixels[part.window], size, interpolation=cv2.INTER_CUBIC)
    seen = cv2.GaussianBlur(lesion_probability(np.asarray(enlarged, dtype=np.uint8), stages), (0, 0), smoothing)
    whole = np.zeros(pixels.shape[:2], dtype=np.float32)
    whole[part.window] = cv2.resize(seen, (part.side, part.side), interpolation=cv2.INTER_AREA)
    return whole
