"""From a mask of pixels to a smooth closed curve, whose length does not depend on how the pixels lie."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Boundary", "boundary", "enclosed_area", "length"]

Points = npt.NDArray[np.float64]

_FINER: Final = 4  # grid lines per pixel on which the curve is traced
_SIGMA: Final = 1.5  # pixels: staircases go, and a circle of radius 10 shrinks by 0.1
_SPACING: Final = 1.5  # pixels between the curve's points


class Boundary(NamedTuple):
    """The edge of a mask.

    Attributes:
        polygon: float64 `[N, 2]`, x and y as shares of the mask's width and height, 0–1.
        on_picture_edge: Share of the curve's length that lies on the mask's own edge, 0–1.
    """

    polygon: Points
    on_picture_edge: float


def boundary(mask: npt.NDArray[np.bool_]) -> Boundary:
    """Trace the edge of a mask.

    Args:
        mask: bool `[H, W]` with one connected piece.

    Returns:
        The curve where the mask, smoothed, is one half; at least three points.
    """
    height, width = mask.shape
    pad = 4
    # The mask goes on beyond the picture as it ends there, so that smoothing does not draw the curve away from the
    # edge; then it is closed along the edge.
    padded = np.pad(mask.astype(np.float32), pad, mode="edge")
    smooth = cv2.GaussianBlur(padded, (0, 0), _SIGMA)
    fine = cv2.resize(smooth, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_LINEAR)
    inside = np.zeros(fine.shape, dtype=np.uint8)
    window = np.s_[pad * _FINER : (pad + height) * _FINER, pad * _FINER : (pad + width) * _FINER]
    inside[window] = fine[window] > 0.5
    if not inside.any():  # a mask of a few pixels, which smoothing takes below one half everywhere
        inside[window] = np.kron(mask, np.ones((_FINER, _FINER), dtype=bool))
    curves, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = max(curves, key=len)[:, 0, :].astype(np.float64)
    # OpenCV walks through the middles of the outermost cells, half a cell inside the edge.
    centred = (_grow(longest, 0.5) + 0.5) / _FINER - pad
    points = np.clip(_even(centred), 0.0, (width, height))
    return Boundary(points / (width, height), _share_on_edge(points, width, height))


def _grow(points: Points, by: float) -> Points:
    """Move a closed curve outwards by a distance."""
    if len(points) < 3:
        return points
    smooth = _circular_mean(points, 5)
    along = np.roll(smooth, -1, axis=0) - np.roll(smooth, 1, axis=0)
    normal = np.column_stack([along[:, 1], -along[:, 0]])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    x, y = points[:, 0], points[:, 1]
    clockwise = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) > 0.0
    return np.asarray(points + (by if clockwise else -by) * normal)


def _circular_mean(points: Points, reach: int) -> Points:
    reach = min(reach, (len(points) - 1) // 2)
    rolled = [np.roll(points, k, axis=0) for k in range(-reach, reach + 1)]
    return np.asarray(np.mean(rolled, axis=0))


def _even(points: Points) -> Points:
    """Return a closed curve by points of even distance, without the steps of the grid that it was traced on."""
    points = _circular_mean(points, _FINER)
    closed = np.vstack([points, points[:1]])
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    count = max(8, round(walked[-1] / _SPACING))
    at = np.linspace(0.0, walked[-1], count, endpoint=False)
    return np.column_stack([np.interp(at, walked, closed[:, axis]) for axis in (0, 1)])


def _share_on_edge(points: Points, width: int, height: int) -> float:
    middle = (points + np.roll(points, -1, axis=0)) / 2.0
    steps = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    distance = np.minimum.reduce([middle[:, 0], middle[:, 1], width - middle[:, 0], height - middle[:, 1]])
    return float(steps[distance < 0.5].sum() / steps.sum()) if steps.sum() > 0.0 else 0.0


def length(points: Points) -> float:
    """Return the length of a closed polygon, in the unit of its points, float64 `[N, 2]`."""
    return float(np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1).sum())


def enclosed_area(points: Points) -> float:
    """Return the area inside a closed polygon (the shoelace formula), in the squared unit of its points."""
    x, y = points[:, 0], points[:, 1]
    return abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2.0
