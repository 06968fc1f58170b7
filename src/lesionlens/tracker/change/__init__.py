"""The change of a lesion between two visits: outlined, brought together, measured and compared.

Pure functions on pictures; nothing here knows of a database or of HTTP.

Example:
    >>> from PIL import Image, ImageDraw
    >>> def photograph(radius: int) -> Image.Image:
    ...     picture = Image.new("RGB", (256, 256), (224, 182, 160))
    ...     ImageDraw.Draw(picture).circle((128, 128), radius, fill=(96, 60, 45))
    ...     return picture
    >>> round(measure(photograph(50), outline(photograph(50))).equivalent_diameter, 1)
    0.4
"""

from __future__ import annotations

from lesionlens.tracker.change.comparison import Change, align, compare
from lesionlens.tracker.change.difference import Difference
from lesionlens.tracker.change.measures import Measures, measure
from lesionlens.tracker.change.outline import Outline, outline
from lesionlens.tracker.change.registration import Registration, register

__all__ = [
    "Change",
    "Difference",
    "Measures",
    "Outline",
    "Registration",
    "align",
    "compare",
    "measure",
    "outline",
    "register",
]
