"""Refining a registration until the details of both pictures lie on each other."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from lesionlens.tracker.change.affine import invert, map_points, to_indices, warp
from lesionlens.tracker.change.details import correlation

__all__ = ["refine"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float64]

_STEPS: Final = 60
_PRECISION: Final = 1e-5  # change of the correlation at which it has converged
_FILTER: Final = 3  # pixels, OpenCV's own blur before the gradients
_MOST_MOVED: Final = 6.0  # pixels at a corner; a larger move has found something else
_SHIFT: Final = np.array([0.5, 0.5])


def refine(details: tuple[Floats, Floats], parts: tuple[Bools, Bools], matrix: Matrix) -> Matrix:
    """Refine by ECC, in affine transforms.

    Args:
        details: float32 `[H, W]` of the first picture and of the second, from `band_passed`.
        parts: bool `[H, W]`, what counts of each.
        matrix: float64 `[2, 3]`, from the second picture to the first, wrong by a few pixels at most.

    Returns:
        The refined matrix; `matrix` itself where refining found nothing better.
    """
    before, after = details
    start = to_indices(invert(matrix)).astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, _PRECISION)
    try:
        _, found = cv2.findTransformECC(
            before, after, start, cv2.MOTION_AFFINE, criteria, parts[1].astype(np.uint8) * 255, _FILTER
        )
    except cv2.error:  # it did not converge
        return matrix
    if not np.isfinite(found).all() or abs(np.linalg.det(found[:, :2])) < 1e-3:
        return matrix
    linear, offset = found[:, :2].astype(np.float64), found[:, 2].astype(np.float64)
    candidate = invert(np.column_stack([linear, offset + _SHIFT - linear @ _SHIFT]))
    width, height = after.shape[1], after.shape[0]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], dtype=np.float64)
    moved = np.linalg.norm(map_points(candidate, corners) - map_points(matrix, corners), axis=1)
    if moved.max() > _MOST_MOVED or _alike(details, parts, candidate) <= _alike(details, parts, matrix):
        return matrix
    return candidate


def _alike(details: tuple[Floats, Floats], parts: tuple[Bools, Bools], matrix: Matrix) -> float:
    size = (details[0].shape[1], details[0].shape[0])
    common = parts[0] & (warp(parts[1].astype(np.float32), matrix, size) > 0.99)
    return correlation(details[0], warp(details[1], matrix, size), common)
