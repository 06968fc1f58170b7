"""Heat and lesion on one grid: the network's input, which is the part of the photo that it saw.

The overlay that a user sees lays the class map over the same part of the photo (`lesionlens.attention.heat_on_photo`),
enlarged by the same filter with the same idea of where a cell lies, so what is measured here is what is shown there.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.errors import DataError

__all__ = ["enlarge", "mask_as_seen"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

# A JPEG decoded at half its size rounds its sides up, so that 601 × 450 becomes 301 × 225; real differences are larger.
_ASPECT_TOLERANCE: Final = 0.02


def enlarge(class_map: Floats, side: int) -> Floats:
    """Enlarge a class map to the network's input, bilinearly, with negative values cut off (ReLU).

    Cells are areas, not points: the first cell's centre lies half a cell inside the edge (`align_corners=False`).

    Args:
        class_map: float32 `[h, w]`.
        side: Side of the network's input in pixels.

    Returns:
        float32 `[side, side]`, 0 or more; all 0 where a value of the map is not finite, since it then shows nothing.
    """
    if not np.isfinite(class_map).all():
        return np.zeros((side, side), dtype=np.float32)
    small = Image.fromarray(np.maximum(class_map, 0.0).astype(np.float32))
    large = np.asarray(small.resize((side, side), resample=Image.Resampling.BILINEAR), dtype=np.float32)
    return np.clip(large, 0.0, None)


def mask_as_seen(
    mask: Bools, photo_size: tuple[int, int], seen_box: tuple[float, float, float, float], side: int
) -> Bools:
    """Cut the part that the network saw out of a mask and bring it to the size of the network's input.

    Args:
        mask: bool `[H, W]`, true on the lesion; the whole photo at any scale.
        photo_size: `(width, height)` of the upright photo.
        seen_box: Left, top, right, bottom of that part as shares of the photo's sides (`Analysis.seen_box`).
        side: Side of the network's input in pixels.

    Returns:
        bool `[side, side]`: pixels of which the lesion covers half or more.

    Raises:
        DataError: The mask has another aspect than the photo, so it cannot show the same part of the skin.
    """
    height, width = mask.shape
    if abs(width * photo_size[1] / (height * photo_size[0]) - 1.0) > _ASPECT_TOLERANCE:
        raise DataError(
            f"the mask is {width} × {height} and the photo {photo_size[0]} × {photo_size[1]} pixels; "
            "both must show the same part of the skin, at any scale but with the same aspect"
        )
    left, top, right, bottom = seen_box
    covered = Image.fromarray(mask.astype(np.float32)).resize(
        (side, side),
        resample=Image.Resampling.BOX,
        box=(left * width, top * height, right * width, bottom * height),
    )
    return np.asarray(covered) >= 0.5
