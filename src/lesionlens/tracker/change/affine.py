"""Affine maps of the plane, float64 `[2, 3]`, in the continuous coordinates of `lesionlens.tracker.change.working`."""

from __future__ import annotations

import math
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["area_factor", "centred", "compose", "identity", "invert", "map_points", "rescale", "to_indices", "warp"]

Matrix = npt.NDArray[np.float64]
Pixel = TypeVar("Pixel", np.uint8, np.float32)

_HALF = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])


def identity() -> Matrix:
    """Return the map that moves nothing."""
    return np.eye(2, 3)


def _square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def compose(after: Matrix, before: Matrix) -> Matrix:
    """Return the map that does `before` and then `after`; both float64 `[2, 3]`."""
    return np.asarray((_square(after) @ _square(before))[:2])


def invert(matrix: Matrix) -> Matrix:
    """Return the map back.

    Args:
        matrix: float64 `[2, 3]`.

    Raises:
        numpy.linalg.LinAlgError: The map flattens the plane.
    """
    return np.asarray(np.linalg.inv(_square(matrix))[:2])


def map_points(matrix: Matrix, points: npt.ArrayLike) -> Matrix:
    """Map points.

    Args:
        matrix: float64 `[2, 3]`.
        points: `[N, 2]`, x and y.

    Returns:
        float64 `[N, 2]`.
    """
    return np.asarray(np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2])


def area_factor(matrix: Matrix) -> float:
    """Return the factor by which a map changes areas, 0 or more."""
    return abs(float(np.linalg.det(matrix[:, :2])))


def centred(size: tuple[int, int], turn: float, zoom: float, shift: tuple[float, float]) -> Matrix:
    """Return the map that turns and enlarges about a picture's middle, and then shifts.

    Args:
        size: Width and height of the picture in pixels.
        turn: Degrees, clockwise as seen.
        zoom: Factor.
        shift: Pixels to the right and down.
    """
    angle = math.radians(turn)
    linear = zoom * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = np.array([size[0] / 2.0, size[1] / 2.0])
    return np.column_stack([linear, middle + np.asarray(shift) - linear @ middle])


def rescale(matrix: Matrix, source: float, target: float) -> Matrix:
    """Return a map between two pictures as a map between the same pictures at other sizes.

    Args:
        matrix: float64 `[2, 3]`, from the source picture to the target picture.
        source: Factor from the size of the source picture in `matrix` to its new size.
        target: The same of the target picture.
    """
    return np.column_stack([matrix[:, :2] * (target / source), matrix[:, 2] * target])


def to_indices(matrix: Matrix) -> Matrix:
    """Return the map in OpenCV's coordinates, in which the centre of the first pixel is (0, 0)."""
    back = _HALF.copy()
    back[:, 2] = -0.5
    return compose(back, compose(matrix, _HALF))


def warp(
    pixels: npt.NDArray[Pixel], matrix: Matrix, size: tuple[int, int], *, border: int = cv2.BORDER_CONSTANT
) -> npt.NDArray[Pixel]:
    """Move a picture's pixels by a map.

    Args:
        pixels: uint8 or float32 `[H, W]` or `[H, W, C]`.
        matrix: float64 `[2, 3]`, from this picture to the new one.
        size: Width and height of the new picture in pixels.
        border: OpenCV's rule for pixels outside the picture; by default they are 0.

    Returns:
        The new picture, of the same dtype; averaged where it is shrunk, linear in between.
    """
    zoom = math.sqrt(area_factor(matrix))
    if zoom < 0.7:  # linear interpolation alone would skip pixels
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.5 / zoom)
    moved = cv2.warpAffine(pixels, to_indices(matrix), size, flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(moved, dtype=pixels.dtype)
