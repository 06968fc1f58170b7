"""The groups in words: what "weaker" means, and for whom the model is weaker. All from the measured figures."""

from __future__ import annotations

from typing import Final, NamedTuple

from lesionlens.evaluation.figures import Estimate
from lesionlens.evaluation.groups.records import AttributeResult, Comparison, GroupReport, GroupResult, Judgement

__all__ = [
    "FIGURES",
    "WORSE",
    "Finding",
    "chance",
    "definition",
    "difference",
    "findings",
    "listed",
    "name_of",
    "signed",
    "signed_bounds",
    "verdict",
    "within_sources",
]

FIGURES: Final = {
    "malignant_auc": "malignant AUC",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
}
"""The compared figures and their names for a reader."""

WORSE: Final = {
    "malignant_auc": "tells malignant from benign less well",
    "sensitivity": "misses more malignant lesions",
    "specificity": "calls more benign lesions suspicious",
}
"""What it means when the model is weaker in them."""


class Finding(NamedTuple):
    """A figure in which the model is weaker for a group.

    Attributes:
        name: The group in words, such as `age: 80 and over`.
        comparison: The figure and its differences.
    """

    name: str
    comparison: Comparison


def findings(report: GroupReport, figure: str | None = None) -> list[Finding]:
    """Return in what and for whom the model is weaker, in the order of the report.

    Args:
        report: The groups.
        figure: A key of `FIGURES`; None for all.
    """
    return [
        Finding(name_of(attribute, group), comparison)
        for attribute in report.attributes
        for group in attribute.groups
        for comparison in group.comparisons
        if comparison.weaker and figure in (None, comparison.figure)
    ]


def name_of(attribute: AttributeResult, group: GroupResult) -> str:
    """Name a group so that it can stand alone, as in `body site: head/neck`."""
    return f"{attribute.title[0].lower()}{attribute.title[1:]}: {group.title}"


def definition(judgement: Judgement) -> str:
    """Say what "weaker" means."""
    compared = "malignant AUC"
    if judgement.point is not None:
        compared += f", or sensitivity or specificity at the bundle's point {judgement.point},"
    return (
        f"A group counts as weaker if its {compared} is at least {judgement.margin:g} ({100 * judgement.margin:g} "
        "percentage points for a rate) worse than that of all other pictures and the 95 % interval of the difference "
        f"lies wholly on the worse side. Groups with fewer than {judgement.least_pictures} pictures, "
        f"{judgement.least_malignant} malignant or {judgement.least_benign} benign ones are shown but not judged."
    )


def chance(judgement: Judgement) -> str:
    """Say how many comparisons were made, and what that means."""
    if not judgement.comparisons:
        return "No group was large enough to be compared."
    return (
        f"{judgement.comparisons} comparisons were made, and the intervals are not corrected for that: if no group "
        f"differed from the others, about {0.025 * judgement.comparisons:.1f} of the intervals would still lie wholly "
        "on the worse side by chance."
    )


def verdict(report: GroupReport, *, intervals: bool) -> str:
    """Say for how many groups the model is weaker.

    Args:
        report: The groups.
        intervals: Whether there was a bootstrap; without one nothing can be judged.
    """
    judged = sum(group.judged for attribute in report.attributes for group in attribute.groups)
    weaker = sum(group.weaker for attribute in report.attributes for group in attribute.groups)
    if not judged:
        return "No group is large enough to be judged."
    if not intervals:
        return "Without bootstrap intervals no group can be called weaker."
    if not weaker:
        return (
            f"The model is weaker for none of the {judged} groups that could be judged, which does not prove that it "
            "serves all alike."
        )
    return f"The model is weaker for {weaker} of the {judged} groups that could be judged."


def listed(report: GroupReport, figure: str) -> str:
    """List the groups for which the model is weaker in a figure, with the differences; empty if there is none."""
    return "; ".join(f"{f.name} {difference(f.comparison.difference, figure)}" for f in findings(report, figure))


def within_sources(report: GroupReport) -> str:
    """Say which groups are weaker also against other pictures of the same sources; empty if none is weaker at all."""
    found = findings(report)
    if not found:
        return ""
    start = "Against other pictures of the same sources, weighted to the group's shares of them, it stays weaker for "
    kept = [f for f in found if f.comparison.weaker_in_sources]
    if not kept:
        return start + "none of these."
    figures: dict[str, list[str]] = {}
    for name, comparison in kept:
        figure = comparison.figure
        figures.setdefault(name, []).append(f"{FIGURES[figure]} {difference(comparison.same_sources, figure)}")
    return start + "; ".join(f"{name} ({', '.join(parts)})" for name, parts in figures.items()) + "."


def difference(estimate: Estimate, figure: str) -> str:
    """Write a difference with its interval: `−8.2 points (−12.1 to −4.3)`, `−0.042 (−0.081 to −0.003)`, or `–`."""
    inside = signed_bounds(estimate, figure)
    return signed(estimate.value, figure) + (f" ({inside})" if inside else "")


def signed(value: float | None, figure: str) -> str:
    """Write a difference: `−8.2 points` of a rate, `−0.042` of the AUC, or `–` if it is not defined."""
    if value is None:
        return "–"
    return _signed(value, figure) + ("" if figure == "malignant_auc" else " points")


def signed_bounds(estimate: Estimate, figure: str) -> str:
    """Write the interval of a difference: `−12.1 to −4.3`, or nothing if there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{_signed(estimate.low, figure)} to {_signed(estimate.high, figure)}"


def _signed(value: float, figure: str) -> str:
    text = f"{value:+.3f}" if figure == "malignant_auc" else f"{100 * value:+.1f}"
    return text.replace("-", "−")
