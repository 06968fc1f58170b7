"""The colours inside a lesion, and against the skin around it."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lesionlens.imaging.cielab import to_cielab

__all__ = ["COLOUR_NAMES", "Colours", "colours_of", "skin_around"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

# The six colours of the ABCD rule (Stolz et al. 1994, *European Journal of Dermatology* 4(7), 521–527) in sRGB, as
# Kasmi & Mokrani 2016 (*IET Image Processing* 10(6), 448–455) sampled them from dermoscopic pictures.
_REFERENCES: Final = {
    "white": (197, 188, 217),
    "red": (118, 21, 17),
    "light brown": (163, 82, 16),
    "dark brown": (135, 44, 5),
    "blue-grey": (113, 108, 139),
    "black": (41, 31, 30),
}
COLOUR_NAMES: Final = tuple(_REFERENCES)
_REFERENCE_LAB: Final[Floats] = to_cielab(np.array(list(_REFERENCES.values()), dtype=np.uint8))
_LEAST_SHARE: Final = 0.05  # of the lesion, for a colour to count (ibid.)
_NEAR_SKIN: Final = 8.0  # ΔE: what is closer to the skin's colour than this shows none of the six
_WIDER: Final = 0.06  # of the longer side: the skin measured lies between this and twice this from the lesion's edge
_LEAST_SKIN: Final = 50  # pixels


class Colours(NamedTuple):
    """Colours of a lesion.

    Attributes:
        spread: Standard deviation of the colour, CIELAB ΔE*ab: root of the summed variances of L*, a* and b*.
        contrast: Distance of the lesion's mean colour from the skin's, CIELAB ΔE*ab.
        darkness: How much darker than the skin the lesion is on average, in L*; negative if it is lighter.
        names: Which of the six colours of the ABCD rule cover at least 5 % of the lesion, most first.
    """

    spread: float
    contrast: float
    darkness: float
    names: tuple[str, ...]


def skin_around(lab: Floats, mask: Bools) -> Floats | None:
    """Return the median colour of the skin around a lesion.

    Args:
        lab: float32 `[H, W, 3]`, CIELAB.
        mask: bool `[H, W]`, true on the lesion.

    Returns:
        float32 `[3]`, CIELAB, of the lighter half of a belt around the lesion, which leaves out hair and dark corners;
        None where the picture shows no such belt.
    """
    reach = max(2, round(_WIDER * max(mask.shape)))
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    belt = lab[(distance > reach) & (distance <= 2 * reach)]
    if len(belt) < _LEAST_SKIN:
        return None
    lighter = belt[belt[:, 0] >= np.median(belt[:, 0])]
    skin: Floats = np.median(lighter, axis=0).astype(np.float32)
    return skin


def colours_of(lab: Floats, mask: Bools, skin: Floats | None, shift: Floats | None = None) -> Colours:
    """Measure the colours of a lesion.

    Args:
        lab: float32 `[H, W, 3]`, CIELAB.
        mask: bool `[H, W]`, true on the lesion, somewhere.
        skin: float32 `[3]`, the skin's colour, from `skin_around`; None if it is unknown: contrast and darkness are
            then NaN.
        shift: float32 `[3]`, added to all colours before they are named: the difference between the skin of another
            photograph and of this one; None for none.
    """
    smooth = np.asarray(cv2.medianBlur(np.ascontiguousarray(lab), 5))[mask]
    mean = smooth.mean(axis=0)
    away = np.full(3, np.nan) if skin is None else mean - skin
    moved = 0.0 if shift is None else shift
    distances = np.linalg.norm((smooth + moved)[:, None, :] - _REFERENCE_LAB, axis=-1)
    nearest = distances.argmin(axis=1)
    shown = np.ones(len(smooth), dtype=bool)
    if skin is not None:
        shown = np.linalg.norm(smooth - skin, axis=-1) > _NEAR_SKIN
    shares = np.bincount(nearest[shown], minlength=len(COLOUR_NAMES)) / len(smooth)
    order = [int(i) for i in np.argsort(-shares, kind="stable") if shares[i] >= _LEAST_SHARE]
    return Colours(
        spread=float(np.sqrt(smooth.var(axis=0).sum())),
        contrast=float(np.linalg.norm(away)),
        darkness=-float(away[0]),
        names=tuple(COLOUR_NAMES[i] for i in order),
    )
