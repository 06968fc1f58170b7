"""Photographs of lesions that the tests draw, with shapes and colours that are known."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

SKIN = (224, 182, 160)
BROWN = (112, 66, 48)


def ellipse(
    size: tuple[int, int], centre: tuple[float, float], axes: tuple[float, float], turn: float = 0.0
) -> npt.NDArray[np.bool_]:
    """Return the mask of an ellipse: width and height of the picture, centre, half axes, degrees clockwise."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    angle = np.deg2rad(turn)
    dx, dy = x - centre[0], y - centre[1]
    along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    return np.asarray((along / axes[0]) ** 2 + (across / axes[1]) ** 2 <= 1.0)


def photograph(mask: npt.NDArray[np.bool_], seed: int = 0, colour: tuple[int, int, int] = BROWN) -> Image.Image:
    """Draw a lesion on skin, both with a texture of their own."""
    rng = np.random.default_rng(seed)
    base = np.where(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.5)[..., None] > 0.5, colour, SKIN)
    texture = sum(
        weight * cv2.GaussianBlur(rng.normal(0.0, 1.0, mask.shape).astype(np.float32), (0, 0), sigma) * sigma * 3.5
        for sigma, weight in ((1.0, 3.0), (2.5, 4.0), (6.0, 3.0))
    )
    return Image.fromarray(np.clip(base + texture[..., None], 0, 255).astype(np.uint8))


def dice(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Return the Dice coefficient."""
    return 2.0 * float((first & second).sum()) / float(first.sum() + second.sum())
