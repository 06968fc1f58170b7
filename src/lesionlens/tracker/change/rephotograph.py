"""A second photograph of the same skin, made from the first by known amounts: for measuring, and for fitting.

A real second photograph also moves the skin and the light in ways that no number here says, so what is measured with
these is the least that differs between two photographs of an unchanged lesion.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.tracker.change.affine import centred, map_points, warp

__all__ = ["Ranges", "Shot", "draw_shot", "misplacement", "rephotograph"]


@dataclass(frozen=True, slots=True)
class Shot:
    """How the second photograph differs from the first.

    Attributes:
        turn: Degrees by which the picture is turned.
        zoom: Factor by which everything looks larger.
        shift: How far the middle moves, right and down, as shares of the longer side.
        gains: Factors of red, green and blue (light and white balance), on the encoded values.
        gamma: Exponent on the encoded values, 1 for none.
        blur: Standard deviation of a Gaussian blur in pixels of a picture with a longer side of 256.
        quality: JPEG quality of the file, 1–95.
    """

    turn: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    blur: float = 0.0
    quality: int = 90


@dataclass(frozen=True, slots=True)
class Ranges:
    """How much photographs of one lesion differ: each value is drawn evenly within ± its bound.

    Attributes:
        turn: Degrees.
        zoom: Logarithm of the factor.
        shift: Share of the longer side, in each direction.
        light: Logarithm of the common gain.
        tint: Logarithm of each colour's own gain.
        gamma: Logarithm of the exponent.
        blur: Pixels; drawn from 0 to this.
        quality: Lowest JPEG quality; drawn from this to 95.
    """

    turn: float = 180.0
    zoom: float = math.log(1.25)
    shift: float = 0.08
    light: float = math.log(1.15)
    tint: float = math.log(1.06)
    gamma: float = math.log(1.10)
    blur: float = 0.8
    quality: int = 70


def draw_shot(rng: np.random.Generator, ranges: Ranges) -> Shot:
    """Draw how a second photograph differs.

    Args:
        rng: Source of chance.
        ranges: The bounds.
    """
    light = rng.uniform(-ranges.light, ranges.light)
    red, green, blue = np.exp(light + rng.uniform(-ranges.tint, ranges.tint, 3)).tolist()
    across, down = rng.uniform(-ranges.shift, ranges.shift, 2).tolist()
    return Shot(
        turn=float(rng.uniform(-ranges.turn, ranges.turn)),
        zoom=math.exp(rng.uniform(-ranges.zoom, ranges.zoom)),
        shift=(across, down),
        gains=(red, green, blue),
        gamma=math.exp(rng.uniform(-ranges.gamma, ranges.gamma)),
        blur=float(rng.uniform(0.0, ranges.blur)),
        quality=int(rng.integers(ranges.quality, 96)),
    )


def rephotograph(image: Image.Image, shot: Shot) -> tuple[Image.Image, npt.NDArray[np.float64]]:
    """Take the second photograph.

    Args:
        image: Upright RGB picture.
        shot: What differs.

    Returns:
        A picture of the same size, mirrored at its edges where the first shows nothing, and float64 `[2, 3]`: where
        a point (x, y) of the first lies in the second, in pixels (`lesionlens.tracker.change.working`).
    """
    side = max(image.size)
    matrix = centred(image.size, shot.turn, shot.zoom, (shot.shift[0] * side, shot.shift[1] * side))
    pixels = warp(np.asarray(image), matrix, image.size, border=cv2.BORDER_REFLECT)
    if (sigma := shot.blur * side / 256.0) > 0.05:
        pixels = cv2.GaussianBlur(pixels, (0, 0), sigma)
    values = np.arange(256)[:, None] / 255.0
    curve = np.rint(255.0 * np.clip(np.asarray(shot.gains) * values**shot.gamma, 0.0, 1.0)).astype(np.uint8)
    coloured = np.stack([curve[pixels[..., c], c] for c in range(3)], axis=-1)
    file = io.BytesIO()
    Image.fromarray(coloured).save(file, "JPEG", quality=shot.quality)
    return Image.open(file).convert("RGB"), matrix


def misplacement(found: npt.NDArray[np.float64], truth: npt.NDArray[np.float64], size: tuple[int, int]) -> float:
    """Return how far a registration puts the second picture's points from where they belong.

    Args:
        found: float64 `[2, 3]`, from the second picture to the first, as registered.
        truth: float64 `[2, 3]`, from the first picture to the second, as it was made.
        size: Width and height of both pictures in pixels.

    Returns:
        Root mean square in pixels, over a grid of points of the first picture that the second one shows; NaN if it
        shows none.
    """
    sides = [np.linspace(0.0, side, 9) for side in size]
    grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    there = map_points(truth, grid)
    shown = ((there >= 0.0) & (there <= np.asarray(size))).all(axis=1)
    if not shown.any():
        return float("nan")
    return float(np.sqrt(((map_points(found, there[shown]) - grid[shown]) ** 2).sum(axis=1).mean()))
