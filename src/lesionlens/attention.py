"""From a class map to a heatmap that a person can look at."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.imaging.png import encode_png

__all__ = ["fit_within", "heat_on_photo", "jet", "overlay", "overlay_png", "scale_to_unit"]

FloatArray = npt.NDArray[np.float32]

PHOTO_SHARE = 0.6  # of the blend; the rest is heat (SkinTracker contract)


def scale_to_unit(class_map: FloatArray) -> FloatArray:
    """Min–max scale a map to 0–1.

    Args:
        class_map: float32 `[h, w]`, as the graph gives it (not negative).

    Returns:
        float32 `[h, w]`; all zeros where the map is constant or not finite, since it then shows nothing.
    """
    low, high = float(class_map.min()), float(class_map.max())
    if not np.isfinite([low, high]).all() or high <= low:
        return np.zeros_like(class_map)
    scaled: FloatArray = ((class_map - low) / (high - low)).astype(np.float32)
    return scaled


def jet(values: FloatArray) -> npt.NDArray[np.uint8]:
    """Colour values with the JET map: blue for 0, green for ½, red for 1.

    Args:
        values: float32 `[...]`, 0–1.

    Returns:
        uint8 `[..., 3]`, RGB.
    """
    centres = np.array([3.0, 2.0, 1.0], dtype=np.float32)
    channels = np.clip(1.5 - np.abs(4.0 * values[..., None] - centres), 0.0, 1.0)
    colours: npt.NDArray[np.uint8] = (channels * 255.0 + 0.5).astype(np.uint8)
    return colours


_JET_PALETTE = jet(np.linspace(0.0, 1.0, 256, dtype=np.float32)).tobytes()


def heat_on_photo(
    class_map: FloatArray, size: tuple[int, int], box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
) -> FloatArray:
    """Scale a map to 0–1 and lay it over the part of the photo that the network saw.

    Args:
        class_map: float32 `[h, w]`.
        size: Photo `(width, height)` in pixels.
        box: The part that the network saw, as shares of the photo's width and height: left, top, right, bottom.

    Returns:
        float32 `[height, width]`, 0–1; 0 outside the box.
    """
    width, height = size
    left, right = round(box[0] * width), round(box[2] * width)
    top, bottom = round(box[1] * height), round(box[3] * height)
    small = Image.fromarray(scale_to_unit(class_map))
    heat = np.zeros((height, width), dtype=np.float32)
    inside = (max(1, right - left), max(1, bottom - top))
    heat[top : top + inside[1], left : left + inside[0]] = np.asarray(
        small.resize(inside, resample=Image.Resampling.BILINEAR)
    )
    return np.clip(heat, 0.0, 1.0)


def fit_within(photo: Image.Image, max_side: int) -> Image.Image:
    """Shrink a photo until its longest side is at most `max_side` pixels; one that is small enough is returned as is.

    Args:
        photo: RGB photo.
        max_side: At least 1.
    """
    longest = max(photo.size)
    if longest <= max_side:
        return photo
    width, height = (max(1, round(side * max_side / longest)) for side in photo.size)
    # Reduced by a whole factor first where that leaves 1.3 times the size: no pixel of a photo moves by more than 3 of
    # 255, 0.3 on the average, and a large one takes half the time.
    return photo.resize((width, height), resample=Image.Resampling.BILINEAR, reducing_gap=1.3)


def overlay(
    photo: Image.Image,
    class_map: FloatArray,
    *,
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
    max_side: int | None = None,
) -> Image.Image:
    """Draw a heatmap over the photo: 0.6 photo + 0.4 JET heat.

    Args:
        photo: Upright RGB photo.
        class_map: float32 `[h, w]`, one class of the graph's `maps`.
        box: The part of the photo that the network saw, as shares of its sides (`Analysis.seen_box`).
        max_side: Longest side of the result in pixels; the photo is shrunk to it, never enlarged. None keeps its size.

    Returns:
        RGB picture with the photo's aspect.
    """
    if max_side is not None:
        photo = fit_within(photo, max_side)
    heat = heat_on_photo(class_map, photo.size, box)
    colours = Image.fromarray(np.rint(heat * 255.0).astype(np.uint8))
    colours.putpalette(_JET_PALETTE)  # Pillow looks colours up four times as quickly as numpy does
    return Image.blend(photo, colours.convert("RGB"), 1.0 - PHOTO_SHARE)


def overlay_png(
    photo: Image.Image,
    class_map: FloatArray,
    *,
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
    max_side: int | None = None,
    helpers: Executor | None = None,
) -> bytes:
    """Return `overlay(…)` as the bytes of a PNG file, made with the help of other threads if there are any."""
    return encode_png(overlay(photo, class_map, box=box, max_side=max_side), helpers=helpers)
