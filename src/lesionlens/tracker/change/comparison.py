"""What changed between two visits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from PIL import Image

from lesionlens import DISCLAIMER
from lesionlens.tracker.change.affine import area_factor, rescale, warp
from lesionlens.tracker.change.difference import Difference, Scale, differences_between
from lesionlens.tracker.change.measures import Measures, measure_working, skin_of
from lesionlens.tracker.change.outline import Outline, outline
from lesionlens.tracker.change.registration import Registration, register
from lesionlens.tracker.change.repeatability import is_clear
from lesionlens.tracker.change.statements import describe_change, describe_scale, nothing_found
from lesionlens.tracker.change.working import to_working

__all__ = ["Change", "align", "compare"]

_MOST_CUT_OFF: Final = 0.02  # of the outline on the picture's edge, before size and shape mean nothing
_GREY: Final = 128  # where the second picture shows nothing
_REDUCING_GAP: Final = 3.0  # so much larger than needed a photograph is first shrunk to by whole pixels (Pillow)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Two visits compared.

    Attributes:
        registration: How the later picture lies on the earlier one.
        before_outline: The lesion in the earlier picture.
        after_outline: The lesion in the later picture.
        before: Measures of the earlier picture; None if no lesion was found.
        after: Measures of the later picture in its own scale, its colours named as if its skin had the colour that it
            has in the earlier one; None if no lesion was found.
        differences: All measures side by side, at the scale of the earlier picture; empty if a lesion is missing.
        statements: What follows, in plain words; the last one is the disclaimer.
        aligned: The later picture laid on the earlier one: RGB, of the earlier one's shape, grey where it shows
            nothing.
        blended: Both pictures, half and half.
    """

    registration: Registration
    before_outline: Outline
    after_outline: Outline
    before: Measures | None
    after: Measures | None
    differences: tuple[Difference, ...]
    statements: tuple[str, ...]
    aligned: Image.Image
    blended: Image.Image


def compare(
    before: Image.Image,
    after: Image.Image,
    registration: Registration | None = None,
    *,
    before_outline: Outline | None = None,
    after_outline: Outline | None = None,
    before_mm_per_pixel: float | None = None,
    after_mm_per_pixel: float | None = None,
    max_side: int = 1024,
) -> Change:
    """Compare the photographs of two visits.

    Args:
        before: Upright RGB picture of the earlier visit.
        after: Upright RGB picture of the later visit.
        registration: How they lie on each other; None to find it.
        before_outline: The lesion in `before`; None to find it.
        after_outline: The lesion in `after`; None to find it.
        before_mm_per_pixel: Millimetres that one pixel of `before` shows; None if unknown.
        after_mm_per_pixel: Millimetres that one pixel of `after` shows; None if unknown. If both are known, sizes are
            compared by them, else by the registration.
        max_side: Longest side in pixels of the pictures that are made.

    Raises:
        ValueError: A picture is not in RGB mode or too thin, or a scale is not above 0.
    """
    old_pixels, new_pixels = to_working(before), to_working(after)
    # Everything but the pictures to look at is made at the working size, so large photographs are shrunk only once.
    old_small, new_small = Image.fromarray(old_pixels), Image.fromarray(new_pixels)
    first = outline(old_small) if before_outline is None else before_outline
    second = outline(new_small) if after_outline is None else after_outline
    found = registration or register(old_small, new_small, before_outline=first, after_outline=second)
    aligned = align(after, found, before.size, max_side)
    shrunk = before.resize(aligned.size, Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)
    blended = Image.blend(shrunk, aligned, 0.5)
    old_measures = partial(measure_working, old_pixels, first, max(before.size), mm_per_pixel=before_mm_per_pixel)
    new_measures = partial(measure_working, new_pixels, second, max(after.size), mm_per_pixel=after_mm_per_pixel)
    if not (first.found and second.found):
        said = (*nothing_found(first.reason, second.reason), DISCLAIMER)
        old = old_measures() if first.found else None
        new = new_measures() if second.found else None
        return Change(found, first, second, old, new, (), said, aligned, blended)
    skins = skin_of(old_pixels, first), skin_of(new_pixels, second)
    shift = None if skins[0] is None or skins[1] is None else skins[0] - skins[1]
    old, new = old_measures(), new_measures(colour_shift=shift)
    ruler = _zoom_by_ruler(before, after, before_mm_per_pixel, after_mm_per_pixel)
    zoom = ruler or (_zoom_by_registration(found) if found.success else None)
    scale = None if zoom is None else Scale(zoom, zoom**2 * _fill(after) / _fill(before))
    cut_off = max(first.cut_off, second.cut_off) > _MOST_CUT_OFF
    clear = is_clear(first.confidence, second.confidence)
    differences = differences_between(old, new, scale=scale, whole=not cut_off, clear=clear)
    limits = describe_scale(found, ruler is not None, cut_off)
    said = (*describe_change(differences), *limits, DISCLAIMER)
    return Change(found, first, second, old, new, differences, said, aligned, blended)


def align(after: Image.Image, registration: Registration, size: tuple[int, int], max_side: int = 1024) -> Image.Image:
    """Lay the later picture on the earlier one.

    Args:
        after: Upright RGB picture of the later visit.
        registration: How it lies on the earlier one.
        size: Width and height of the earlier picture in pixels.
        max_side: Longest side of the result in pixels.

    Returns:
        RGB, of the earlier picture's shape, never larger than it; grey where `after` shows nothing.
    """
    shrink = min(1.0, max_side / max(size))
    width, height = (max(1, round(side * shrink)) for side in size)
    working = max(registration.before_size), max(registration.after_size)
    matrix = rescale(registration.matrix, max(after.size) / working[1], max(width, height) / working[0])
    # Whole pixels are averaged first: cheaper than a blur of a photograph of many megapixels, and as smooth.
    fewer = max(1, int(1.0 / math.sqrt(max(area_factor(matrix), 1e-6))))
    fewer = min(fewer, *after.size)
    matrix = rescale(matrix, 1.0 / fewer, 1.0)
    pixels = np.asarray(after.reduce(fewer))
    moved = warp(pixels, matrix, (width, height))
    shown = warp(np.ones(pixels.shape[:2], dtype=np.float32), matrix, (width, height))[..., None]
    # Pixels at the border are already mixed with the black outside in this share.
    filled = moved + (1.0 - shown) * _GREY
    return Image.fromarray(np.clip(np.rint(filled), 0, 255).astype(np.uint8))


def _zoom_by_registration(registration: Registration) -> float:
    return registration.zoom * max(registration.after_size) / max(registration.before_size)


def _zoom_by_ruler(before: Image.Image, after: Image.Image, old: float | None, new: float | None) -> float | None:
    if old is None or new is None:
        return None
    return (new * max(after.size)) / (old * max(before.size))


def _fill(image: Image.Image) -> float:
    """Return the picture's area in squares of its longer side."""
    return min(image.size) / max(image.size)
