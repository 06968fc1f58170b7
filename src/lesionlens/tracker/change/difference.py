"""One measure of two visits, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from lesionlens.tracker.change.measures import Measures
from lesionlens.tracker.change.quantities import QUANTITIES, Quantity
from lesionlens.tracker.change.repeatability import threshold

__all__ = ["Difference", "Scale", "differences_between"]


class Scale(NamedTuple):
    """Factors from the later picture's shares to the earlier one's.

    Attributes:
        length: Of lengths, which are shares of the longer side.
        area: Of areas, which are shares of the picture.
    """

    length: float
    area: float

    def of(self, power: int) -> float:
        """Return the factor of a quantity: 2 for areas, 1 for lengths, 0 for what has no size."""
        return (1.0, self.length, self.area)[power]


@dataclass(frozen=True, slots=True)
class Difference:
    """How one measure differs.

    Attributes:
        quantity: What was measured.
        before: Its earlier value.
        after: Its later value, at the scale of the earlier picture.
        change: The logarithm of `after` over `before` for a ratio, else `after` minus `before`.
        threshold: What `change` must exceed, in either direction, to be more than chance.
        comparable: Whether the two values mean the same thing.
    """

    quantity: Quantity
    before: float
    after: float
    change: float
    threshold: float
    comparable: bool

    @property
    def name(self) -> str:
        """The attribute of `Measures` that was compared."""
        return self.quantity.name

    @property
    def relative(self) -> float | None:
        """`after` over `before`, less 1; None for what is compared by difference."""
        return math.expm1(self.change) if self.quantity.kind == "ratio" else None

    @property
    def changed(self) -> bool:
        """Whether a change may be claimed."""
        return self.comparable and abs(self.change) > self.threshold


def differences_between(
    before: Measures, after: Measures, *, scale: Scale | None, whole: bool, clear: bool
) -> tuple[Difference, ...]:
    """Compare two sets of measures.

    Args:
        before: Of the earlier picture.
        after: Of the later picture, in its own scale.
        scale: From the later picture to the earlier one; None if it is unknown, which leaves sizes without comparison.
        whole: Whether both pictures show the whole lesion.
        clear: Whether both outlines have a clear border.

    Returns:
        One for each quantity that both have, in the order of `QUANTITIES`.
    """
    found = []
    for quantity in QUANTITIES:
        old, new = quantity.value(before), quantity.value(after)
        if old is None or new is None:
            continue
        scaled = new if scale is None else new * scale.of(quantity.power)
        comparable = (quantity.power == 0 or scale is not None) and (whole or not quantity.whole)
        found.append(
            Difference(quantity, old, scaled, quantity.change(old, scaled), threshold(quantity.name, clear), comparable)
        )
    return tuple(found)
