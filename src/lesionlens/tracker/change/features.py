"""What the outline's classifier is told of every pixel: its colour, how far that is from skin, and what lies around.

Everything is measured at half the working size. The first stage (`appearance`) looks at the picture alone; the second
(`context`) also sees what the first one answered, near and far, and the colours inside and outside of that answer:
auto-context (Tu & Bai 2010, *IEEE TPAMI* 32(10), 1744–1757). No feature tells left from right or up from down.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from lesionlens.tracker.change.skin import otsu, skin_colour

__all__ = ["appearance", "context"]

Floats = npt.NDArray[np.float32]

# Lengths in pixels at half the working size, whose longer side is 128.
_COLOUR_SIGMAS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_EXTREME_RADII: Final = (5, 12, 24)
_TEXTURE_SIGMAS: Final = (3.0, 8.0)
_ANSWER_SIGMAS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_TOWARDS_CENTRE: Final = (0.0, 0.5, 0.75, 1.25, 1.5)


def appearance(lab: Floats) -> Floats:
    """Return the features of the first stage.

    Args:
        lab: float32 `[H, W, 3]`, CIELAB, the picture at half the working size.

    Returns:
        float32 `[H, W, F]`.
    """
    height, width = lab.shape[:2]
    skin = skin_colour(lab)
    mean, spread = lab.mean(axis=(0, 1)), lab.std(axis=(0, 1)) + 1.0
    bright = lab[lab[..., 0] >= np.percentile(lab[..., 0], 75.0)].mean(axis=0)
    blurred = [_blur(lab, sigma) for sigma in _COLOUR_SIGMAS]
    far = [np.linalg.norm(b - skin, axis=-1) for b in (blurred[0], blurred[2])]
    light = blurred[1][..., 0]
    threshold = otsu(far[0])
    weight = np.clip(far[1] - 0.5 * threshold, 0.0, 60.0)
    planes: list[Floats] = [
        *(b[..., c] for b in blurred for c in range(3)),
        *((b[..., c] - mean[c]) / spread[c] for b in (blurred[0], blurred[2]) for c in range(3)),
        *((b[..., c] - skin[c]) for b in (blurred[0],) for c in range(3)),
        *far,
        far[0] / (threshold + 4.0),
        _rank(light),
        _rank(far[1]),
        *(e for r in _EXTREME_RADII for e in (_erode(far[1], r), _dilate(far[1], r))),
        *(_texture(lab[..., 0], sigma) for sigma in _TEXTURE_SIGMAS),
        *_along_ray(far[1], _centroid(weight)),
        *_position(height, width),
        *_distance_from(weight),
        *(np.full((height, width), v) for v in (*skin, *mean, *spread, *bright, threshold)),
    ]
    return np.stack(planes, axis=-1).astype(np.float32)


def context(first: Floats, lab: Floats, answer: Floats) -> Floats:
    """Return the features of the second stage: those of the first, and what its answer shows.

    Args:
        first: float32 `[H, W, F]`, from `appearance`.
        lab: float32 `[H, W, 3]`, the picture that they were made of.
        answer: float32 `[H, W]`, 0–1, the first stage's probability of lesion.

    Returns:
        float32 `[H, W, F + G]`.
    """
    inside = _mean_colour(lab, answer**2)
    outside = _mean_colour(lab, (1.0 - answer) ** 2)
    smooth = [_blur(lab, sigma) for sigma in (1.0, 3.0)]
    soft = _blur(answer, 2.0)
    planes: list[Floats] = [
        *(_blur(answer, sigma) for sigma in _ANSWER_SIGMAS),
        *(e for r in _EXTREME_RADII for e in (_erode(soft, r), _dilate(soft, r))),
        *_distance_from(answer),
        *_along_ray(soft, _centroid(answer)),
        *(np.linalg.norm(s - c, axis=-1) for s in smooth for c in (inside, outside)),
        *(np.full(answer.shape, v) for v in (answer.mean(), float(np.linalg.norm(inside - outside)))),
    ]
    return np.concatenate([first, np.stack(planes, axis=-1).astype(np.float32)], axis=-1)


def _blur(plane: Floats, sigma: float) -> Floats:
    if sigma <= 4.0:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float32)
    # A wide blur leaves nothing that a coarser grid could lose, and costs its square there.
    step = int(sigma // 2)
    height, width = plane.shape[:2]
    small = cv2.resize(plane, (max(4, width // step), max(4, height // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * small.shape[1] / width, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), dtype=np.uint8)


def _erode(plane: Floats, radius: int) -> Floats:
    return np.asarray(cv2.erode(plane, _disc(radius)), dtype=np.float32)


def _dilate(plane: Floats, radius: int) -> Floats:
    return np.asarray(cv2.dilate(plane, _disc(radius)), dtype=np.float32)


def _texture(plane: Floats, sigma: float) -> Floats:
    """Return the local standard deviation."""
    variance = _blur(plane * plane, sigma) - _blur(plane, sigma) ** 2
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)), dtype=np.float32)


def _rank(plane: Floats) -> Floats:
    """Return each pixel's place in the order of all values, 0–1: no change of exposure moves it."""
    ordered = np.sort(plane.ravel())[:: max(1, plane.size // 1024)]
    place = np.searchsorted(ordered, plane.ravel()) / len(ordered)
    return np.asarray(place.reshape(plane.shape), dtype=np.float32)


def _grid(height: int, width: int) -> tuple[Floats, Floats]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return y, x


def _centroid(weight: Floats) -> tuple[float, float]:
    y, x = _grid(*weight.shape)
    total = float(weight.sum()) + 1e-3
    centre_y, centre_x = (weight.shape[0] - 1) / 2.0, (weight.shape[1] - 1) / 2.0
    return (
        (float((weight * y).sum()) + 1e-3 * centre_y) / total,
        (float((weight * x).sum()) + 1e-3 * centre_x) / total,
    )


def _along_ray(plane: Floats, centre: tuple[float, float]) -> list[Floats]:
    """Look from each pixel along the ray that leads to the centre: at it, between, and as far beyond the pixel."""
    y, x = _grid(*plane.shape)
    return [
        np.asarray(
            cv2.remap(
                plane,
                centre[1] + share * (x - centre[1]),
                centre[0] + share * (y - centre[0]),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            dtype=np.float32,
        )
        for share in _TOWARDS_CENTRE
    ]


def _position(height: int, width: int) -> list[Floats]:
    """Return the distances from the middle and from the nearest edge, as shares of half the longer side."""
    y, x = _grid(height, width)
    half = max(height, width) / 2.0
    edge = np.minimum.reduce([y + 0.5, x + 0.5, height - 0.5 - y, width - 0.5 - x]) / half
    middle = np.hypot(y - (height - 1) / 2.0, x - (width - 1) / 2.0) / half
    return [middle.astype(np.float32), edge.astype(np.float32)]


def _distance_from(weight: Floats) -> list[Floats]:
    """Return the distance from the weights' centroid: in shares of the picture, and in their own spread."""
    y, x = _grid(*weight.shape)
    centre = _centroid(weight)
    distance = np.hypot(y - centre[0], x - centre[1])
    spread = float(np.sqrt((weight * distance**2).sum() / (weight.sum() + 1e-3))) + 1.0
    return [(2.0 * distance / max(weight.shape)).astype(np.float32), (distance / spread).astype(np.float32)]


def _mean_colour(lab: Floats, weight: Floats) -> Floats:
    total = float(weight.sum()) + 1.0
    return np.asarray(((lab * weight[..., None]).sum(axis=(0, 1)) + lab.mean(axis=(0, 1))) / total, dtype=np.float32)
