"""Varying training pictures as dermoscopy varies: any orientation, crop, light, resolution and compression.

Resolution goes with the collection a picture comes from, and the collection with the diagnosis. Lowering resolution
and JPEG quality at random takes the sharpness away as a clue.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from lesionlens.training.config import Augmentation

__all__ = ["augment"]

Pixels = npt.NDArray[np.uint8]


def augment(image: Pixels, size: int, options: Augmentation, rng: np.random.Generator) -> Pixels:
    """Draw one random variant of a picture.

    Args:
        image: uint8 `[H, W, 3]`, RGB.
        size: Side of the square result in pixels.
        options: How far the variants go.
        rng: Source of all randomness; equal states give equal results.

    Returns:
        uint8 `[size, size, 3]`, RGB.
    """
    return _degrade(_light(_move(image, size, options, rng), options, rng), options, rng)


def _move(image: Pixels, size: int, options: Augmentation, rng: np.random.Generator) -> Pixels:
    """Crop, stretch, turn by any angle and mirror, in one resampling."""
    height, width = image.shape[:2]
    square = min(height, width)
    side = square * math.sqrt(rng.uniform(options.min_area, 1.0))
    stretch = math.exp(rng.uniform(-1.0, 1.0) * math.log(options.max_stretch) / 2.0)
    slack = (square - side) / 2.0
    centre = (
        (width - 1) / 2.0 + rng.uniform(-slack, slack),
        (height - 1) / 2.0 + rng.uniform(-slack, slack),
    )
    angle = rng.uniform(0.0, 2.0 * math.pi)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    if side > 1.5 * size:  # shrink first: one bilinear step over more than that would alias
        ratio = size / side
        image = _pixels(cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA))
        side, centre = side * ratio, (centre[0] * ratio, centre[1] * ratio)
    scale_x, scale_y = side / size * stretch * mirror, side / size / stretch
    cos, sin = math.cos(angle), math.sin(angle)
    linear = np.array([[cos * scale_x, -sin * scale_y], [sin * scale_x, cos * scale_y]])
    middle = np.full(2, (size - 1) / 2.0)
    matrix = np.hstack([linear, (np.array(centre) - linear @ middle)[:, None]])
    return _pixels(
        cv2.warpAffine(
            image,
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    )


def _light(image: Pixels, options: Augmentation, rng: np.random.Generator) -> Pixels:
    """Change brightness, contrast, colour balance and saturation."""
    reach = options.brightness
    gain = (1.0 + rng.uniform(-reach, reach)) * (1.0 + rng.uniform(-reach, reach, 3) / 3.0)
    contrast = 1.0 + rng.uniform(-reach, reach)
    saturation = 1.0 + rng.uniform(-options.saturation, options.saturation)
    # All are linear in the pixel, so they join into one 3×4 colour matrix: one pass over the picture.
    luma = np.array([0.299, 0.587, 0.114])
    saturate = saturation * np.eye(3) + (1.0 - saturation) * luma[None, :]
    linear = contrast * saturate @ np.diag(gain)
    grey = float(luma @ image.mean(axis=(0, 1))) * float(gain.mean())
    offset = np.full((3, 1), (1.0 - contrast) * grey)
    return _pixels(cv2.transform(image, np.hstack([linear, offset])))


def _degrade(image: Pixels, options: Augmentation, rng: np.random.Generator) -> Pixels:
    """Lower resolution and JPEG quality, as a small or often-saved file would."""
    size = image.shape[0]
    small = rng.random() < options.degrade and size > options.min_resolution
    compress = rng.random() < options.jpeg
    if small:
        resolution = round(math.exp(rng.uniform(math.log(options.min_resolution), math.log(size))))
        image = _pixels(cv2.resize(image, (resolution, resolution), interpolation=cv2.INTER_AREA))
    if compress:
        quality = int(rng.integers(options.min_quality, 96))
        _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = _pixels(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))
    if small:
        filters = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
        chosen = filters[int(rng.integers(len(filters)))]
        image = _pixels(cv2.resize(image, (size, size), interpolation=chosen))
    return image


def _pixels(image: Any) -> Pixels:
    """Say what OpenCV's results are: its own type hints leave that open."""
    return np.asarray(image, dtype=np.uint8)
