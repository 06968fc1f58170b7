"""How good a photo is, measured on the network's own input, with advice for whoever took it.

The advice is about what can be done better with the next photo. Whether the model should judge the picture at all is
another question, which `lesionlens.suitability` answers.

Every limit below comes from pictures of the ISIC 2019 training folds (docs/suitability.md gives the shares): it lies
where one or two in a hundred of them are beyond it, since photos that dermatologists kept are good enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionlens.imaging.appearance import Appearance, measure

__all__ = ["Hint", "Quality", "assess", "judge"]


class Hint(NamedTuple):
    """A remark on a picture.

    Attributes:
        code: Short name for programs, such as `blurred`; stays the same when the words change.
        message: One sentence in plain words for a person.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured on one picture, and what follows for the next photo.

    Attributes:
        short_side: Shorter side of the picture in pixels.
        sharpness: log10 of the power of details of 16–32 cycles per picture side over that of shapes of 4–8 cycles:
            about −0.8 for most dermoscopic pictures, lower when blurred. Both are far coarser than the pixels of any
            camera, so a small picture is not taken for a blurred one.
        brightness: Median CIELAB lightness, 0–100, dark corners left out.
        overexposed: Share of the picture that is white or all but white, 0–1.
        colour_cast: By how much (CIELAB units of a* and b*) the colour of the border lies outside the range of the
            skin in dermoscopic pictures; 0 within it.
        dark_corners: Share of the picture that a tube or vignette blackens around the middle, 0–0.8.
        thin_lines: Share of the picture under thin dark lines (hair, ruler marks), 0–1.
        hints: Advice; empty for a picture without fault.
    """

    short_side: int
    sharpness: float
    brightness: float
    overexposed: float
    colour_cast: float
    dark_corners: float
    thin_lines: float
    hints: tuple[Hint, ...]


_SMALLEST_SIDE: Final = 84  # px: the smallest pictures trained on (BCN20000 as it is spread for teaching)
_LEAST_SHARPNESS: Final = -1.8
_LEAST_BRIGHTNESS: Final = 38.0
_MOST_BRIGHTNESS: Final = 88.0
_MOST_OVEREXPOSED: Final = 0.02
_A_RANGE: Final = (-3.0, 41.0)
_B_RANGE: Final = (-14.0, 28.0)
_MOST_CAST: Final = 4.0  # about twice a just noticeable difference
_MOST_DARK: Final = 0.66  # more than the narrowest round fields of view in use
_MOST_LINES: Final = 0.12
# Floors of the two powers of `sharpness`: without any shape a picture counts as blurred, not as sharp.
_FINE_FLOOR: Final = 1e-9
_COARSE_FLOOR: Final = 1e-6

_SMALL: Final = Hint("small", "The photo is very small: send the original, not a thumbnail.")
_BLURRED: Final = Hint("blurred", "The photo is blurred: hold the camera still and focus on the skin.")
_DARK: Final = Hint("dark", "The photo is dark: use more light.")
_BRIGHT: Final = Hint("bright", "The photo is very bright: use less light, or a shorter exposure.")
_GLARE: Final = Hint("glare", "Parts of the photo are pure white: avoid glare and overexposure.")
_CAST: Final = Hint(
    "colour_cast", "The skin has an unusual colour: take the photo in white light and check the white balance."
)
_CORNERS: Final = Hint("dark_corners", "Most of the photo is black around the lesion: come closer, or crop the photo.")
_LINES: Final = Hint("thin_lines", "Hair or ruler marks cover part of the photo: move them aside if you can.")


def assess(pixels: npt.NDArray[np.uint8], short_side: int) -> Quality:
    """Assess one picture.

    Args:
        pixels: uint8 `[S, S, 3]`, RGB, as the network sees them.
        short_side: Shorter side in pixels of the upright picture that they were made of.

    Example:
        >>> [hint.code for hint in assess(np.full((64, 64, 3), 60, dtype=np.uint8), 600).hints]
        ['blurred', 'dark']
    """
    return judge(measure(pixels), short_side)


def judge(look: Appearance, short_side: int) -> Quality:
    """Assess one picture that has been measured already.

    Args:
        look: What was measured.
        short_side: Shorter side in pixels of the upright picture.
    """
    sharpness = math.log10((10 ** look["power_16"] + _FINE_FLOOR) / (10 ** look["power_4"] + _COARSE_FLOOR))
    brightness = look["median_l"]
    cast = math.hypot(_beyond(look["surround_a"], _A_RANGE), _beyond(look["surround_b"], _B_RANGE))
    found = {
        _SMALL: short_side < _SMALLEST_SIDE,
        _BLURRED: sharpness < _LEAST_SHARPNESS,
        _DARK: brightness < _LEAST_BRIGHTNESS,
        _BRIGHT: brightness > _MOST_BRIGHTNESS,
        _GLARE: look.overexposed > _MOST_OVEREXPOSED,
        _CAST: cast > _MOST_CAST,
        _CORNERS: look.dark_corners > _MOST_DARK,
        _LINES: look.thin_lines > _MOST_LINES,
    }
    return Quality(
        short_side=short_side,
        sharpness=sharpness,
        brightness=brightness,
        overexposed=look.overexposed,
        colour_cast=cast,
        dark_corners=look.dark_corners,
        thin_lines=look.thin_lines,
        hints=tuple(hint for hint, holds in found.items() if holds),
    )


def _beyond(value: float, bounds: tuple[float, float]) -> float:
    return max(bounds[0] - value, 0.0, value - bounds[1])
