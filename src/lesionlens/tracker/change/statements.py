"""What changed, in plain words; nothing is claimed that two photographs of an unchanged lesion might show as well."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lesionlens.tracker.change.difference import Difference
from lesionlens.tracker.change.registration import Registration

__all__ = ["describe_change", "describe_scale", "nothing_found"]


def describe_change(differences: Sequence[Difference]) -> list[str]:
    """Return a sentence for each change that may be claimed, or one that says that there is none.

    Args:
        differences: All that was compared.
    """
    claims = [_claim(d) for d in differences if d.changed]
    if claims:
        return claims
    if not any(d.comparable for d in differences):
        return ["Nothing could be compared."]
    return ["No measured change is larger than what two photographs of an unchanged lesion may differ by."]


def describe_scale(registration: Registration, by_ruler: bool, cut_off: bool) -> list[str]:
    """Return sentences on what limits the comparison; none if nothing does.

    Args:
        registration: How the pictures lie on each other.
        by_ruler: Whether the millimetres per pixel of both pictures are known.
        cut_off: Whether the lesion reaches the edge of a picture.
    """
    said = []
    if not registration.success:
        how = {
            "outline": "they are laid on each other by place and size of the outlines alone, which is approximate",
            "none": "they are shown as they are",
        }[registration.method]
        said.append(f"The two photographs could not be brought together: {registration.reason}; {how}.")
        if not by_ruler:
            said.append("Sizes cannot be compared, since nothing tells how far the camera was.")
    elif registration.method == "details" and not by_ruler:
        said.append(
            "The skin around the lesion shows too few details, so the scale comes from the lesion as well: "
            "growth that stretches it evenly would not show."
        )
    if cut_off:
        said.append("The lesion reaches the edge of a photograph, so its size and shape cannot be compared.")
    return said


def nothing_found(earlier: str | None, later: str | None) -> list[str]:
    """Return sentences on photographs without an outline.

    Args:
        earlier: Why the earlier photograph has none; None if it has one.
        later: The same of the later one.
    """
    reasons = (("earlier", earlier), ("later", later))
    return [f"No lesion was found in the {which} photograph: {why}." for which, why in reasons if why is not None]


def _claim(found: Difference) -> str:
    quantity, direction = found.quantity, found.quantity.more if found.change > 0.0 else found.quantity.less
    if quantity.kind == "ratio":
        usual = math.expm1(found.threshold)
        return (
            f"{quantity.label} is {direction} by {abs(math.expm1(found.change)):.0%}; "
            f"photographs of an unchanged lesion may differ by {usual:.0%}."
        )
    digits = 2 if quantity.unit == "" and quantity.name != "colour_count" else 1 if quantity.unit else 0
    unit = f" {quantity.unit}" if quantity.unit else ""
    return (
        f"{quantity.label} is {direction}: {found.before:.{digits}f} became {found.after:.{digits}f}{unit}; "
        f"photographs of an unchanged lesion may differ by {found.threshold:.{max(digits, 1)}f}."
    )
