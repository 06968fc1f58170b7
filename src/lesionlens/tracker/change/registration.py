"""Bringing the second photograph of a lesion onto the first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.tracker.change.affine import area_factor, identity, warp
from lesionlens.tracker.change.details import Matches, band_passed, correlation, find_details, lit_part, match
from lesionlens.tracker.change.outline import Outline, outline
from lesionlens.tracker.change.refine import refine
from lesionlens.tracker.change.working import to_working

__all__ = ["Method", "Registration", "register"]

Bools = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Method = Literal["skin", "details", "outline", "none"]

# Of 299 pairs of different lesions of fold 1 of ISIC 2019, none had more than 5 inliers or a correlation above 0.16.
_LEAST_INLIERS: Final = 9
_LEAST_CORRELATION: Final = 0.15
_LEAST_OVERLAP: Final = 0.25  # of the smaller picture
_MOST_ZOOM: Final = 3.0
_TOLERANCE: Final = 3.0  # pixels by which a matching detail may miss its place
_SKIN_MARGIN: Final = 11  # pixels: side of the square by which a lesion's mask is widened before the rest is skin


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """How the second photograph lies on the first.

    Attributes:
        matrix: float64 `[2, 3]`: where a point (x, y) of the second picture lies in the first, both in pixels at the
            working size (`lesionlens.tracker.change.working`). The identity where nothing is known.
        method: `skin`: by details of the skin around the lesion, so that the lesion's own growth shows; `details`: by
            details of skin and lesion together, which a growing lesion may take along; `outline`: by place and size
            of the outlines alone, approximate; `none`.
        success: Whether the same details were found in both pictures; false for `outline` and `none`.
        reason: Why it failed, in words; None after success.
        inliers: Number of matching details that agree on the matrix.
        correlation: −1 to 1, how alike the details of the two pictures are once they lie on each other, of the skin
            alone where it was registered by that.
        before_size: Width and height of the first picture at the working size.
        after_size: The same of the second.
    """

    matrix: Matrix
    method: Method
    success: bool
    reason: str | None
    inliers: int
    correlation: float
    before_size: tuple[int, int]
    after_size: tuple[int, int]

    @property
    def zoom(self) -> float:
        """Factor by which the second picture is enlarged to lie on the first."""
        return math.sqrt(area_factor(self.matrix))

    @property
    def turn(self) -> float:
        """Degrees, clockwise, by which the second picture is turned to lie on the first; −180 to 180."""
        return math.degrees(math.atan2(self.matrix[1, 0] - self.matrix[0, 1], self.matrix[0, 0] + self.matrix[1, 1]))


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """One picture, with what is needed of it."""

    pixels: Pixels
    lit: Bools
    outline: Outline

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def skin(self) -> Bools:
        wide = cv2.dilate(self.outline.mask.astype(np.uint8), np.ones((_SKIN_MARGIN, _SKIN_MARGIN), dtype=np.uint8))
        return np.asarray(self.lit & (np.asarray(wide) == 0))


def register(
    before: Image.Image,
    after: Image.Image,
    *,
    before_outline: Outline | None = None,
    after_outline: Outline | None = None,
) -> Registration:
    """Find how the second photograph of a lesion lies on the first.

    Details (SIFT) of both pictures are paired, and the similarity transform on which most pairs agree is found
    (RANSAC: Fischler & Bolles 1981), by the skin around the lesion alone if that suffices. It is refined to an affine
    transform by maximising the correlation of the details (ECC: Evangelidis & Psarakis 2008, *IEEE TPAMI* 30(10),
    1858–1865). That correlation then decides whether it is the same place at all.

    Args:
        before: Upright RGB picture, the earlier one.
        after: Upright RGB picture, the later one.
        before_outline: Outline of the lesion in `before`; None to find it.
        after_outline: Outline of the lesion in `after`; None to find it.

    Returns:
        The registration; `success` is false where the pictures do not show the same details.

    Raises:
        ValueError: A picture is not in RGB mode, or more than eight times as long as wide.
    """
    first = _view(before, before_outline)
    second = _view(after, after_outline)
    matches = match(find_details(first.pixels, first.lit), find_details(second.pixels, second.lit))
    on_skin = _within(first.skin, matches.before) & _within(second.skin, matches.after)
    best: Registration | None = None
    candidates: tuple[tuple[Method, Matches], ...] = (("skin", matches.where(on_skin)), ("details", matches))
    for method, chosen in candidates:
        found = _attempt(first, second, chosen, method)
        if found is not None and found.success:
            return found
        if found is not None and (best is None or found.inliers > best.inliers):
            best = found
    return _by_outline(first, second, best)


def _view(image: Image.Image, known: Outline | None) -> _View:
    pixels = to_working(image)
    return _View(pixels, lit_part(pixels), outline(image) if known is None else known)


def _within(part: Bools, points: Matrix) -> Bools:
    columns = np.clip(points[:, 0].astype(np.int64), 0, part.shape[1] - 1)
    rows = np.clip(points[:, 1].astype(np.int64), 0, part.shape[0] - 1)
    return np.asarray(part[rows, columns])


def _attempt(first: _View, second: _View, matches: Matches, method: Method) -> Registration | None:
    """Register by some of the matches; None where they agree on nothing at all."""
    if len(matches.before) < _LEAST_INLIERS:
        return None
    estimate, agreeing = cv2.estimateAffinePartial2D(
        matches.after,
        matches.before,
        method=cv2.RANSAC,
        ransacReprojThreshold=_TOLERANCE,
        maxIters=5000,
        confidence=0.999,
        refineIters=20,
    )
    if estimate is None or not np.isfinite(estimate).all():
        return None
    inliers = int(np.count_nonzero(agreeing))
    matrix: Matrix = np.asarray(estimate, dtype=np.float64)
    if not 1.0 / _MOST_ZOOM <= math.sqrt(area_factor(matrix)) <= _MOST_ZOOM:
        return None
    details = band_passed(first.pixels), band_passed(second.pixels)
    parts = (first.skin, second.skin) if method == "skin" else (first.lit, second.lit)
    if inliers >= _LEAST_INLIERS:
        matrix = refine(details, parts, matrix)
    moved = warp(details[1], matrix, first.size)
    common, alike = (
        a & (warp(b.astype(np.float32), matrix, first.size) > 0.99) for a, b in ((first.lit, second.lit), parts)
    )
    likeness = correlation(details[0], moved, alike)
    smaller = min(float(first.lit.sum()), float(second.lit.sum()) * area_factor(matrix))
    reason = _why_not(inliers, likeness, float(common.sum()) / max(smaller, 1.0))
    return Registration(matrix, method, reason is None, reason, inliers, likeness, first.size, second.size)


def _why_not(inliers: int, alike: float, overlap: float) -> str | None:
    if inliers < _LEAST_INLIERS:
        return f"only {inliers} details of the two pictures agree; at least {_LEAST_INLIERS} are needed"
    if overlap < _LEAST_OVERLAP:
        return f"the two pictures share only {overlap:.0%} of what they show; at least {_LEAST_OVERLAP:.0%} are needed"
    if alike < _LEAST_CORRELATION:
        return "the details of the two pictures do not look alike when they are laid on each other"
    return None


def _by_outline(first: _View, second: _View, tried: Registration | None) -> Registration:
    """Fall back on place and size of the outlines, which any two lesions have: never a success."""
    reason = "too few details of the two pictures look alike" if tried is None else tried.reason
    inliers, alike = (0, 0.0) if tried is None else (tried.inliers, tried.correlation)
    if not (first.outline.found and second.outline.found):
        reason = f"{reason}, and no lesion was outlined in {'the later' if first.outline.found else 'the earlier'} one"
        return Registration(identity(), "none", False, reason, inliers, alike, first.size, second.size)
    (x1, y1, area1), (x2, y2, area2) = (_moments(v.outline.mask) for v in (first, second))
    zoom = math.sqrt(area1 / area2)
    matrix = np.array([[zoom, 0.0, x1 - zoom * x2], [0.0, zoom, y1 - zoom * y2]])
    return Registration(matrix, "outline", False, reason, inliers, alike, first.size, second.size)


def _moments(mask: Bools) -> tuple[float, float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()) + 0.5, float(rows.mean()) + 0.5, float(len(rows))
