"""Whether two services say the same: if they do not, comparing their speed means nothing."""

from __future__ import annotations

import base64
import io
import json
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.attention import PHOTO_SHARE, fit_within
from lesionlens.imaging import decode

__all__ = ["Agreement", "compare"]


class Agreement(NamedTuple):
    """How far two answers to one photo are apart.

    Attributes:
        probability: Largest difference of a probability.
        same_class: Whether the answers name the same class.
        heat: Pearson's correlation of the heatmaps, the photo beneath them taken away; 1 is the same.
    """

    probability: float
    same_class: bool
    heat: float


def compare(photo: bytes, one: bytes, other: bytes) -> Agreement:
    """Compare two answers of `/predict`.

    Args:
        photo: The photo's file.
        one: An answer.
        other: Another service's.
    """
    first, second = json.loads(one), json.loads(other)
    apart = np.abs(np.subtract(first["probabilities"], second["probabilities"])).max()
    upright = decode(photo).image
    heats = [_heat(upright, answer["gradcam"]) for answer in (first, second)]
    if heats[0].shape != heats[1].shape:
        raise ValueError(f"one heatmap has {heats[0].shape[:2]} pixels, the other {heats[1].shape[:2]}")
    correlation = np.corrcoef(heats[0].ravel(), heats[1].ravel())[0, 1]
    return Agreement(float(apart), first["prediction"] == second["prediction"], float(correlation))


def _heat(photo: Image.Image, gradcam: str) -> npt.NDArray[np.float32]:
    """Take the photo away from its overlay: float32 `[H, W, 3]`, the colours of the heat times its share."""
    with Image.open(io.BytesIO(base64.b64decode(gradcam))) as picture:
        overlay = np.asarray(picture.convert("RGB"), dtype=np.float32)
    beneath = np.asarray(fit_within(photo, max(overlay.shape[:2])), dtype=np.float32)
    return overlay - np.float32(PHOTO_SHARE) * beneath
