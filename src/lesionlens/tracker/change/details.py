"""Fine details of skin and lesion, by which two photographs of one place are recognised and brought together."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lesionlens.imaging.cielab import to_cielab

__all__ = ["Details", "Matches", "band_passed", "correlation", "find_details", "lit_part", "match"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Points = npt.NDArray[np.float64]

_MOST_DETAILS: Final = 1500
_CONTRAST: Final = 0.008  # SIFT's least contrast; a fifth of the usual one, since skin is smooth
_RATIO: Final = 0.85  # Lowe 2004, § 7.1: nearest over second nearest distance
_DARK: Final = 20.0  # L*; corners darker than this are the dermatoscope's tube
_TUBE_MARGIN: Final = 9  # pixels around the tube in which its edge would pass for a detail
_FINE, _COARSE = 1.0, 8.0  # pixels: details between these two blurs are compared
_LEAST_OVERLAP: Final = 400  # pixels, below which a correlation means nothing


class Details(NamedTuple):
    """Details of a picture at the working size.

    Attributes:
        points: float64 `[N, 2]`, x and y in pixels.
        descriptors: float32 `[N, 128]`, RootSIFT.
    """

    points: Points
    descriptors: Floats


class Matches(NamedTuple):
    """Details of two pictures that look alike.

    Attributes:
        before: float64 `[M, 2]`, where they are in the first picture.
        after: float64 `[M, 2]`, where they are in the second.
    """

    before: Points
    after: Points

    def where(self, chosen: Bools) -> Matches:
        """Return some of the matches; `chosen` is bool `[M]`."""
        return Matches(self.before[chosen], self.after[chosen])


def lit_part(pixels: npt.NDArray[np.uint8]) -> Bools:
    """Return the part of a picture that no tube or vignette darkens.

    Args:
        pixels: uint8 `[H, W, 3]`, RGB, at the working size.

    Returns:
        bool `[H, W]`: false on dark areas that reach a corner of the picture, and close to them.
    """
    light = to_cielab(np.asarray(cv2.GaussianBlur(pixels, (0, 0), 2.0)))[..., 0]
    _, labels = cv2.connectedComponents((light < _DARK).astype(np.uint8))
    corners = {int(labels[y, x]) for y in (0, -1) for x in (0, -1)} - {0}
    tube = np.isin(labels, list(corners)).astype(np.uint8)
    reach = 2 * _TUBE_MARGIN + 1
    wide = cv2.dilate(tube, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    lit: Bools = np.asarray(wide) == 0
    return lit


def find_details(pixels: npt.NDArray[np.uint8], part: Bools) -> Details:
    """Find details: SIFT (Lowe 2004, *IJCV* 60(2), 91–110) on lightness of evened contrast.

    Descriptors are compared by their square roots (RootSIFT: Arandjelović & Zisserman 2012, *CVPR*).

    Args:
        pixels: uint8 `[H, W, 3]`, RGB, at the working size.
        part: bool `[H, W]`, where to look.
    """
    light = np.clip(to_cielab(pixels)[..., 0] * 2.55, 0.0, 255.0).astype(np.uint8)
    even = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(light)
    sift = cv2.SIFT.create(nfeatures=_MOST_DETAILS, contrastThreshold=_CONTRAST, edgeThreshold=15.0)
    keypoints, descriptors = sift.detectAndCompute(even, part.astype(np.uint8))
    if descriptors is None:
        return Details(np.zeros((0, 2)), np.zeros((0, 128), dtype=np.float32))
    rooted = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9))
    points = np.array([k.pt for k in keypoints], dtype=np.float64) + 0.5
    return Details(points, rooted.astype(np.float32))


def match(before: Details, after: Details) -> Matches:
    """Pair details that are each other's nearest, and nearer than any second one by a clear margin."""
    if min(len(before.points), len(after.points)) < 2:
        return Matches(np.zeros((0, 2)), np.zeros((0, 2)))
    similar = before.descriptors @ after.descriptors.T
    distance = np.sqrt(np.maximum(2.0 - 2.0 * similar, 0.0))
    nearest = distance.argmin(axis=1)
    two = np.partition(distance, 1, axis=1)[:, :2]
    mutual = distance.argmin(axis=0)[nearest] == np.arange(len(nearest))
    chosen = mutual & (two[:, 0] < _RATIO * two[:, 1])
    return Matches(before.points[chosen], after.points[nearest[chosen]])


def band_passed(pixels: npt.NDArray[np.uint8]) -> Floats:
    """Return a picture's details without its large shapes: lightness between two blurs.

    A lesion's outline and the light's fall are gone, so that two round spots do not look alike for being round.

    Args:
        pixels: uint8 `[H, W, 3]`, RGB, at the working size.

    Returns:
        float32 `[H, W]`, about −20 to 20.
    """
    light = to_cielab(pixels)[..., 0]
    fine = cv2.GaussianBlur(light, (0, 0), _FINE)
    return np.asarray(fine - cv2.GaussianBlur(light, (0, 0), _COARSE), dtype=np.float32)


def correlation(first: Floats, second: Floats, part: Bools) -> float:
    """Return how alike two pictures' details are: Pearson's correlation.

    Args:
        first: float32 `[H, W]`, from `band_passed`.
        second: float32 `[H, W]`, likewise, brought onto the first.
        part: bool `[H, W]`, where both show something.

    Returns:
        −1 to 1; 0 where there is nothing to compare.
    """
    if part.sum() < _LEAST_OVERLAP:
        return 0.0
    a, b = first[part].astype(np.float64), second[part].astype(np.float64)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 1e-6 else 0.0
