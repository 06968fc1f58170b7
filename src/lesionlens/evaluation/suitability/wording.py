"""The words for reasons, detectors and targets that report, model card and terminal share."""

from __future__ import annotations

from typing import Final

from lesionlens.evaluation.suitability.records import FamilyResult, SuitabilityReport

__all__ = ["KINDS", "PART_NAMES", "REASON_NAMES", "reached", "strongest_reason", "verdict"]

KINDS: Final = {
    "not_skin": "Pictures of anything but skin",
    "altered": "Dermoscopic pictures spoilt on purpose",
}
PART_NAMES: Final = {
    "detail": "Detail",
    "colour": "Colour",
    "lesion": "Lesion",
    "appearance": "Appearance",
    "features": "Features",
}
REASON_NAMES: Final = {
    "blurred": "blurred",
    "detail": "detail",
    "colour": "colour",
    "no_lesion": "no lesion",
    "appearance": "appearance",
    "features": "features",
}


def reached(family: FamilyResult) -> bool | None:
    """Say whether the target was reached; None where there is none or nothing was measured."""
    if family.target is None or family.auroc.value is None:
        return None
    return family.auroc.value >= family.target


def strongest_reason(family: FamilyResult) -> str:
    """Return the most frequent reason with its share of all pictures, as in `blurred 97 %`; nothing without one."""
    if not family.reasons:
        return ""
    code, count = next(iter(family.reasons.items()))
    return f"{REASON_NAMES[code]} {count / family.n:.0%}".replace("%", " %")


def verdict(report: SuitabilityReport) -> str:
    """Say in a sentence which targets were missed."""
    missed = [f.title for f in report.families if reached(f) is False]
    share = report.alarms[0].share.value
    if share is not None and share > report.asked_false_alarms:
        missed.append("false alarms")
    return f"Targets missed: {'; '.join(missed)}." if missed else "Every target was reached."
