"""The skin around a lesion, found without a mask: the rim of the lens's field without black edges, hair and glare.

A lesion usually lies in the middle of a dermoscopic picture, and where it reaches the rim it is darker than the skin
around it. Reading the skin off the periphery follows Bevan & Atapour-Abarghouei 2022, *Detecting Melanoma Fairly: Skin
Tone Detection and Debiasing for Skin Lesion Classification* (arXiv:2202.02832), who take the lightest of eight patches;
a trimmed median of the whole rim is steadier.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from lesionlens.imaging.cielab import to_cielab

__all__ = ["SkinColour", "border_skin"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

SIDE: Final = 128  # px; all that follows is about areas of colour, for which this is plenty
_RIM: Final = 0.20  # of the field's inner radius: wide enough to have skin on it, narrow enough to miss most lesions
_BLACK: Final = 12.0  # L*; darker than skin is, the darkest too, in a picture that was exposed for skin
_PENUMBRA: Final = 3.0  # px at the edge of the field, which the lens has darkened too
_HAIR_WIDTH: Final = 7  # px; a closing of this size fills dark lines up to it
_HAIR_DEPTH: Final = 8.0  # L* below their surroundings
_GLARE: Final = 250  # of 255 in every channel: the colour is lost
_LESION_SHARE: Final = 0.25  # the darkest of the rim that is left out, for lesions that reach it
_LEAST: Final = 200  # pixels; the rim of a whole square picture has about 4,000


class SkinColour(NamedTuple):
    """The colour of the skin in a picture, in CIELAB under D65.

    Attributes:
        lightness: L*, 0 (black) to 100 (white).
        red: a*, from green (negative) to red (positive).
        yellow: b*, from blue (negative) to yellow (positive).
    """

    lightness: float
    red: float
    yellow: float


def border_skin(image: Image.Image) -> SkinColour | None:
    """Return the colour of the skin at the rim of a picture.

    The picture is shrunk to 128 px on its longer side. The field of the lens is what is not black (L* < 12) or
    surrounded by what is not; its rim is the outer fifth of its inner radius, without the outermost 3 px. Of the rim
    these are left out: dark lines up to 7 px wide (hair, ruler marks: what a morphological closing fills, as in
    DullRazor, Lee et al. 1997), glare, and the darkest quarter of the rest, where a lesion may reach in.

    Args:
        image: Upright RGB picture of any size.

    Returns:
        The median of each coordinate, or None if fewer than 200 pixels are left.
    """
    pixels = _shrunk(image)
    lab = to_cielab(pixels)
    lightness = lab[..., 0]
    lines = ndimage.grey_closing(lightness, size=(_HAIR_WIDTH, _HAIR_WIDTH)) - lightness > _HAIR_DEPTH
    glare = pixels.min(axis=2) >= _GLARE
    rim = lab[_rim(lightness) & ~lines & ~glare]
    if len(rim) < _LEAST:
        return None
    skin = rim[rim[:, 0] >= np.quantile(rim[:, 0], _LESION_SHARE)]
    return SkinColour(*np.median(skin, axis=0).tolist())


def _shrunk(image: Image.Image) -> npt.NDArray[np.uint8]:
    scale = SIDE / max(image.size)
    if scale < 1:
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        image = image.resize(size, Image.Resampling.BOX)
    return np.asarray(image, dtype=np.uint8)


def _rim(lightness: Floats) -> Bools:
    field = ndimage.binary_fill_holes(lightness >= _BLACK)  # a black lesion in the middle is no edge of the field
    depth = ndimage.distance_transform_edt(np.pad(field, 1))[1:-1, 1:-1]
    return np.asarray((depth > _PENUMBRA) & (depth <= max(_RIM * depth.max(), _PENUMBRA + 1.0)))
