"""Where in a picture the lesion lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.tracker.change.closer import look_closer, part_around
from lesionlens.tracker.change.contour import boundary
from lesionlens.tracker.change.pieces import centrality, largest_piece
from lesionlens.tracker.change.pixels import Stages, lesion_probability
from lesionlens.tracker.change.working import to_working

__all__ = ["Outline", "outline"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

# Chosen with `python benchmarks/change.py outline --folds 1`: docs/change.md.
_LEAST_CONFIDENCE: Final = 0.60
_LEAST_SHARE: Final = 0.003  # of the picture; a smaller spot has too few pixels for a shape
_SMOOTHING: Final = 1.5  # pixels of the working size


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Where the lesion lies.

    Attributes:
        mask: bool `[H, W]` at the working size (longer side 256 px), true on the lesion, one connected piece without
            holes; nowhere true if none was found.
        polygon: float64 `[N, 2]`, the lesion's edge once around: x and y as shares of the picture's width and height,
            0–1; `[0, 2]` if none was found.
        confidence: 0–1, the overlap (Dice) that the mask is expected to have with one drawn by a person; 1 for a mask
            from outside.
        cut_off: Share of the edge that lies on the picture's own edge, 0–1: above 0 the lesion may go on outside.
        reason: Why no lesion was found, in words; None if one was.
    """

    mask: Bools
    polygon: npt.NDArray[np.float64]
    confidence: float
    cut_off: float
    reason: str | None = None

    @property
    def found(self) -> bool:
        """Whether there is a lesion."""
        return self.reason is None

    @classmethod
    def from_mask(cls, mask: Bools, confidence: float = 1.0) -> Outline:
        """Return the outline of a mask, such as one that a person drew.

        Args:
            mask: bool `[H, W]` at the working size of its picture; the largest piece counts, with its holes filled.
            confidence: 0–1.
        """
        solid = largest_piece(mask, np.ones(mask.shape, dtype=np.float32))
        if not solid.any():
            return cls.none_found(mask.shape, "no pixel belongs to the lesion")
        edge = boundary(solid)
        return cls(solid, edge.polygon, confidence, edge.on_picture_edge)

    @classmethod
    def none_found(cls, shape: tuple[int, ...], reason: str, confidence: float = 0.0) -> Outline:
        """Return the outline of a picture without a lesion.

        Args:
            shape: Height and width of the working size.
            reason: Why none was found, in words.
            confidence: 0–1, of the best candidate.
        """
        return cls(np.zeros(shape, dtype=bool), np.zeros((0, 2)), confidence, 0.0, reason)


def outline(image: Image.Image, stages: Stages | None = None) -> Outline:
    """Find the lesion in a picture; a small one is looked at a second time, enlarged.

    Args:
        image: Upright RGB picture.
        stages: The fitted pixel classifier; None for the one that the package holds.

    Returns:
        The outline; `found` is false where nothing stands out from the skin clearly enough.

    Raises:
        ValueError: The picture is not in RGB mode, or more than eight times as long as wide.
    """
    pixels = to_working(image)
    probability = np.asarray(cv2.GaussianBlur(lesion_probability(pixels, stages), (0, 0), _SMOOTHING), dtype=np.float32)
    mask, confidence = _lesion(probability)
    if (part := part_around(mask, probability)) is not None:
        closer, surer = _lesion(look_closer(pixels, part, stages, _SMOOTHING))
        if surer > confidence and not part.cuts(closer):
            mask, confidence = closer, surer
    if mask.mean() < _LEAST_SHARE:
        return Outline.none_found(mask.shape, "nothing in the picture stands out from the skin as a lesion would")
    if confidence < _LEAST_CONFIDENCE:
        return Outline.none_found(mask.shape, "no lesion stands out from the skin clearly enough", confidence)
    return Outline.from_mask(mask, confidence)


def _lesion(probability: Floats) -> tuple[Bools, float]:
    """Return the mask and its expected overlap; an empty one and 0 where nothing is probable."""
    mask = largest_piece(probability > 0.5, probability * centrality(probability.shape))
    return mask, _expected_overlap(probability, mask) if mask.any() else 0.0


def _expected_overlap(probability: Floats, mask: Bools) -> float:
    """Return the Dice coefficient with a mask drawn by chance from the probabilities, on average (to first order)."""
    return float(2.0 * probability[mask].sum() / (probability.sum() + mask.sum()))
