"""How much two photographs of an unchanged lesion differ in each measure: what a change must exceed to be claimed.

Measured on fold 1 of ISIC 2019 (HAM10000 pictures, lesions that the picture's edge does not cut), which the outline was
not fitted on: each picture against a second photograph made of it (`lesionlens.tracker.change.rephotograph`, its
default ranges), both outlined, registered and measured as a user's are. Lesions with a clear border repeat much better
than others, so the two are told apart by the outlines' confidence. Printed by

    python benchmarks/change.py repeatability --folds 1 --pictures 800

before small lesions were looked at twice (`lesionlens.tracker.change.closer`); what was checked since, and on lesions
of fold 0, stands in docs/change.md.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["CLEAR_FROM", "FACTOR", "REPEATABILITY", "Repeatability", "is_clear", "threshold"]

CLEAR_FROM: Final = 0.95
"""Confidence that both outlines must have for the border to be a clear one."""


class Repeatability(NamedTuple):
    """What is measured of a change where there is none.

    Attributes:
        clear: For lesions with a clear border.
        unclear: For other lesions.
    """

    clear: float
    unclear: float

    def of(self, clear: bool) -> float:
        """Return the one that holds for a lesion with or without a clear border."""
        return self.clear if clear else self.unclear


REPEATABILITY: Final[dict[str, Repeatability]] = {
    "area": Repeatability(0.071, 0.25),
    "longest_diameter": Repeatability(0.032, 0.15),
    "perimeter": Repeatability(0.036, 0.22),
    "compactness": Repeatability(0.046, 0.33),
    "solidity": Repeatability(0.012, 0.056),
    "shape_asymmetry": Repeatability(0.011, 0.055),
    "colour_asymmetry": Repeatability(0.91, 1.6),
    "colour_spread": Repeatability(2.3, 2.3),
    "contrast": Repeatability(6.1, 6.1),
    "darkness": Repeatability(4.3, 4.3),
    "colour_count": Repeatability(1.0, 1.0),
}
"""The 95th percentile of the change without a change: of the ratio's logarithm, or of the difference.

Rounded up; for colours, which hardly depend on the border, the larger of both groups."""

FACTOR: Final = Repeatability(1.7, 2.2)
"""So many times the 95th percentile: then all measures together claim a change in 5 of 100 unchanged lesions only."""


def is_clear(earlier: float, later: float) -> bool:
    """Return whether two outlines of these confidences, 0–1, have a clear border."""
    return min(earlier, later) >= CLEAR_FROM


def threshold(name: str, clear: bool) -> float:
    """Return what a change must exceed to be claimed.

    Args:
        name: Name of a quantity (`lesionlens.tracker.change.quantities`).
        clear: Whether both outlines have a clear border.

    Raises:
        KeyError: There is no such quantity.
    """
    return FACTOR.of(clear) * REPEATABILITY[name].of(clear)
