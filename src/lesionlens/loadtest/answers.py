"""Whether an answer under load is the answer that the photo gets alone."""

from __future__ import annotations

import base64
import binascii
import io
import json
from typing import Any, Final

import numpy as np
from PIL import Image

__all__ = ["MOST_PIXEL_DIFFERENCE", "MOST_PROBABILITY_DIFFERENCE", "difference"]

MOST_PROBABILITY_DIFFERENCE: Final = 2e-3
"""Photos that are computed together round differently from one computed alone; `/predict` gives four digits."""
MOST_PIXEL_DIFFERENCE: Final = 4
"""Of 255, for the same reason."""


def difference(
    reference: bytes,
    answer: bytes,
    most_probability: float = MOST_PROBABILITY_DIFFERENCE,
    most_pixel: int = MOST_PIXEL_DIFFERENCE,
) -> str | None:
    """Compare two answers of `/predict`.

    Args:
        reference: The answer to the photo sent alone.
        answer: The one to look at.
        most_probability: By how much a probability may differ.
        most_pixel: By how much a channel of a pixel may differ, of 255.

    Returns:
        What is wrong with it, in words; None if it is the same up to rounding.
    """
    if answer == reference:
        return None
    try:
        wanted, given = json.loads(reference), json.loads(answer)
        apart = float(np.abs(np.subtract(given["probabilities"], wanted["probabilities"])).max())
        if apart > most_probability:
            return f"a probability differs by {apart:.4f}"
        first, second = _pixels(wanted), _pixels(given)
    except (ValueError, KeyError, TypeError, OSError, binascii.Error) as error:
        return f"the answer cannot be read: {error}"
    if first.shape != second.shape:
        return "the heatmap has another size"
    largest = int(np.abs(first - second).max(initial=0))
    return f"the heatmap differs by {largest} of 255" if largest > most_pixel else None


def _pixels(answer: dict[str, Any]) -> np.ndarray:
    if answer["gradcam"] is None:
        raise ValueError("there is no heatmap")
    with Image.open(io.BytesIO(base64.b64decode(answer["gradcam"]))) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.int16)
