"""The estimated skin tone of a picture: its Individual Typology Angle, and the classes of that angle.

The angle and its limits at 55°, 41°, 28° and 10° are those of Chardon, Cretois & Hourseau 1991, *Skin colour typology
and suntanning pathways*, International Journal of Cosmetic Science 13, 191–208; the limit at −30° is that of Del Bino &
Bernerd 2013, *Variations in skin colour and the biological consequences of ultraviolet radiation exposure*, British
Journal of Dermatology 169 (s3), 33–40. Both measure clean skin with a calibrated colorimeter. A dermoscopic photo has
its own lamp, exposure and white balance, and all three move the angle, so a class here is the estimated tone of the
picture, not the tone of a person.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.evaluation.groups.skin import border_skin

__all__ = ["CAST", "TONES", "ToneClass", "tone_classes", "typology_angle"]


class ToneClass(NamedTuple):
    """A class of skin tone.

    Attributes:
        key: Its name in `metrics.json`.
        title: Its name for a reader.
        above: Its angles are greater than this, in degrees; those of the class before it are greater still.
    """

    key: str
    title: str
    above: float


TONES: Final = (
    ToneClass("very_light", "very light (over 55°)", 55.0),
    ToneClass("light", "light (41° to 55°)", 41.0),
    ToneClass("intermediate", "intermediate (28° to 41°)", 28.0),
    ToneClass("tan", "tan (10° to 28°)", 10.0),
    ToneClass("brown", "brown (−30° to 10°)", -30.0),
    ToneClass("dark", "dark (−30° and below)", -90.0),
)
"""From light to dark."""
CAST: Final = "blue_cast"
"""Key of the pictures whose skin looks bluish, which no skin is: their angle says nothing."""


def typology_angle(image: Image.Image) -> float:
    """Return the Individual Typology Angle of the skin at the rim of a picture.

    ITA = arctan((L* − 50) / b*) · 180 / π. The arctangent of two arguments is taken, which is the same for b* > 0,
    where skin lies, and gives angles beyond ±90° where a colour cast makes the skin bluish (b* ≤ 0).

    Args:
        image: Upright RGB picture of any size.

    Returns:
        Degrees, −180 to 180; NaN if too little skin was found (`skin.border_skin`).
    """
    skin = border_skin(image)
    return math.nan if skin is None else math.degrees(math.atan2(skin.lightness - 50.0, skin.yellow))


def tone_classes(ita: npt.NDArray[np.float32]) -> npt.NDArray[np.str_]:
    """Return the key of the class of each angle.

    Args:
        ita: float32 `[N]`, degrees; NaN for no estimate.

    Returns:
        str `[N]`: a key of `TONES`, `CAST` beyond ±90°, or empty for no estimate.
    """
    keys = np.full(len(ita), TONES[-1].key, dtype="<U16")
    for tone in reversed(TONES):
        keys[ita > tone.above] = tone.key
    keys[np.abs(ita) >= 90.0] = CAST
    keys[np.isnan(ita)] = ""
    return keys
