"""What is compared between two visits, in which way, and in which words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from lesionlens.tracker.change.measures import Measures

__all__ = ["QUANTITIES", "Kind", "Quantity"]

Kind = Literal["ratio", "difference"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One of the numbers that are compared.

    Attributes:
        name: The attribute of `Measures`.
        label: What it is called in a sentence, with a capital.
        kind: `ratio`: compared by the logarithm of later over earlier; `difference`: by later minus earlier.
        unit: Written after its values; empty for plain numbers.
        power: 2 for areas, 1 for lengths, 0 for what does not depend on the camera's distance.
        whole: Whether it needs the whole outline in the picture.
        more: What the lesion is when it rose.
        less: What the lesion is when it fell.
    """

    name: str
    label: str
    kind: Kind
    unit: str
    power: int
    whole: bool
    more: str
    less: str

    def value(self, measures: Measures) -> float | None:
        """Return its value; None if it could not be measured."""
        value = getattr(measures, self.name)
        return None if value is None else float(value)

    def change(self, before: float, after: float) -> float:
        """Return what is held against the repeatability: a logarithm of a ratio, or a difference."""
        if self.kind == "ratio":
            return math.log(after / before)
        return after - before


QUANTITIES: Final = (
    Quantity("area", "The area", "ratio", "of the picture", 2, True, "larger", "smaller"),
    Quantity("longest_diameter", "The longest diameter", "ratio", "of the longer side", 1, True, "longer", "shorter"),
    Quantity("perimeter", "The outline", "ratio", "of the longer side", 1, True, "longer", "shorter"),
    Quantity("compactness", "The border", "ratio", "", 0, True, "more irregular", "more regular"),
    Quantity("solidity", "The border", "difference", "", 0, True, "less notched", "more notched"),
    Quantity("shape_asymmetry", "The shape", "difference", "", 0, True, "less symmetric", "more symmetric"),
    Quantity("colour_asymmetry", "The colouring", "difference", "ΔE", 0, True, "less symmetric", "more symmetric"),
    Quantity("colour_spread", "The colouring", "difference", "ΔE", 0, False, "more varied", "more even"),
    Quantity("contrast", "The colour", "difference", "ΔE", 0, False, "further from the skin's", "closer to the skin's"),
    Quantity("darkness", "The colour", "difference", "L*", 0, False, "darker", "lighter"),
    Quantity("colour_count", "The number of colours", "difference", "", 0, False, "higher", "lower"),
)
"""In the order in which they are shown."""
