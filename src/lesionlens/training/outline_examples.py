"""Pictures that the outline's pixel classifier learns from: real ones, second photographs of them, and bare skin.

Of every picture a second photograph is made (turned, enlarged, in other light), and of many a piece of bare skin is
cut out, so that the classifier also learns what a picture without a lesion looks like.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.datasets.isic import ImageSource, Sample, read_samples
from lesionlens.datasets.masks import MaskSource
from lesionlens.errors import DataError
from lesionlens.imaging import decode
from lesionlens.tracker.change.affine import warp
from lesionlens.tracker.change.pixels import half_lab
from lesionlens.tracker.change.rephotograph import Ranges, draw_shot, rephotograph
from lesionlens.tracker.change.working import to_working

__all__ = ["Example", "bare_skin", "draw_examples", "pictures_with_masks"]

Bools = npt.NDArray[np.bool_]

_RANGES: Final = Ranges(
    zoom=math.log(1.5),
    shift=0.15,
    light=math.log(1.25),
    tint=math.log(1.1),
    gamma=math.log(1.2),
    blur=1.0,
    quality=60,
)
_SKIN_SIDE: Final = 0.33  # of the picture's shorter side: a piece of bare skin
_SKIN_EVERY: Final = 3  # of how many pictures one gives a piece of bare skin, where it has any


class Example(NamedTuple):
    """A picture to learn from.

    Attributes:
        picture: Its number; made pictures have that of their original.
        lab: float16 `[H, W, 3]`, CIELAB, at half the working size.
        mask: bool `[H, W]`, true on the lesion.
    """

    picture: int
    lab: npt.NDArray[np.float16]
    mask: Bools


def pictures_with_masks(
    data: Path, folds: Sequence[int], count: int, seed: int = 0
) -> Iterator[tuple[Sample, npt.NDArray[np.uint8], Bools]]:
    """Yield pictures at the working size with their masks, one of each lesion, drawn by chance.

    Args:
        data: Data folder with `isic2019_folds.csv`, pictures and masks.
        folds: The folds to draw from.
        count: Most pictures to yield.
        seed: The same seed gives the same pictures.

    Yields:
        The sample, uint8 `[H, W, 3]`, and bool `[H, W]`.

    Raises:
        DataError: The folder cannot be used, or the folds hold no picture that has a mask.
    """
    masks, images = MaskSource(data), ImageSource(data)
    chosen = {s.group: s for s in read_samples(data) if s.fold in folds and s.image in masks and s.image in images}
    if not chosen:
        raise DataError(f"no picture of the folds {', '.join(map(str, folds))} in {data} has a lesion mask")
    samples = list(chosen.values())
    for i in np.random.default_rng(seed).permutation(len(samples))[:count]:
        sample = samples[int(i)]
        pixels = to_working(decode(images.read(sample.image)).image)
        mask = Image.fromarray(masks.read(sample.image)).resize(
            (pixels.shape[1], pixels.shape[0]), Image.Resampling.NEAREST
        )
        yield sample, pixels, np.asarray(mask, dtype=bool)


def _example(picture: int, pixels: npt.NDArray[np.uint8], mask: Bools) -> Example:
    lab = half_lab(pixels)
    share = cv2.resize(mask.astype(np.float32), (lab.shape[1], lab.shape[0]), interpolation=cv2.INTER_AREA)
    return Example(picture, lab.astype(np.float16), np.asarray(share) > 0.5)


def draw_examples(picture: int, pixels: npt.NDArray[np.uint8], mask: Bools, rng: np.random.Generator) -> list[Example]:
    """Return a picture, a second photograph of it, and perhaps a piece of its bare skin.

    Args:
        picture: The picture's number.
        pixels: uint8 `[H, W, 3]`, RGB, at the working size.
        mask: bool `[H, W]`, true on the lesion.
        rng: Source of chance.
    """
    height, width = mask.shape
    again, matrix = rephotograph(Image.fromarray(pixels), draw_shot(rng, _RANGES))
    moved = warp(mask.astype(np.float32), matrix, (width, height), border=cv2.BORDER_REFLECT) > 0.5
    examples = [_example(picture, pixels, mask), _example(picture, np.asarray(again), moved)]
    if picture % _SKIN_EVERY == 0 and (skin := bare_skin(pixels, mask, rng)) is not None:
        examples.append(_example(picture, skin, np.zeros(mask.shape, dtype=bool)))
    return examples


def bare_skin(pixels: npt.NDArray[np.uint8], mask: Bools, rng: np.random.Generator) -> npt.NDArray[np.uint8] | None:
    """Return a corner without lesion, enlarged to the picture's size; None if no corner is bare and lit."""
    height, width = mask.shape
    side = round(_SKIN_SIDE * min(height, width))
    near = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), dtype=np.uint8))
    corners = [np.s_[y : y + side, x : x + side] for y in (0, height - side) for x in (0, width - side)]
    bare = [c for c in corners if not near[c].any() and pixels[c].mean(axis=2).min() > 40]
    if not bare:
        return None
    piece = pixels[bare[int(rng.integers(len(bare)))]]
    return np.asarray(cv2.resize(piece, (width, height), interpolation=cv2.INTER_CUBIC))
