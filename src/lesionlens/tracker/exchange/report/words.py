"""Dates, places and answers in plain words, the same in every form of the report."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from lesionlens.doubt import NOT_DERMOSCOPIC
from lesionlens.taxonomy import CODES, DIAGNOSES, NOT_CONFIDENT_INDEX, diagnosis
from lesionlens.tracker.records import Lesion, Person, StoredAnalysis

__all__ = [
    "MONTHS",
    "answer",
    "day",
    "doubts",
    "facts_about_lesion",
    "facts_about_person",
    "model_name",
    "moment",
    "percent",
    "place",
    "possible",
    "title_of",
]

# Not `strftime`, which follows the machine's language.
MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SKIN_TYPES: Final = ("I", "II", "III", "IV", "V", "VI")
_VIEWS: Final = {
    "front": "Front of the body",
    "back": "Back of the body",
    "left": "Left side of the body",
    "right": "Right side of the body",
    "head": "Head",
    "left_hand": "Left hand",
    "right_hand": "Right hand",
    "left_foot": "Left foot",
    "right_foot": "Right foot",
}
_MIDDLE: Final = (0.45, 0.55)


def day(when: datetime) -> str:
    """Return a day, such as `1 May 2024`, where the clock showed it."""
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def moment(when: datetime) -> str:
    """Return a day and the time to the minute, with the UTC offset that was given."""
    offset = when.utcoffset() or timedelta(0)
    sign = "−" if offset < timedelta(0) else "+"
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    zone = "UTC" if not offset else f"UTC{sign}{hours:02d}:{minutes:02d}"
    return f"{day(when)}, {when.hour:02d}:{when.minute:02d} ({zone})"


def percent(share: float) -> str:
    """Return a share as percent, rounded down, so that what is below a threshold never reads as if it reached it."""
    return f"{math.floor(1000 * share) / 10:.1f}%"


def place(lesion: Lesion) -> str:
    """Say where on the body map a lesion is pinned; left and right are those of the drawing, not of the body."""
    down = ("upper third", "middle third", "lower third")[min(2, int(3 * lesion.y))]
    low, high = _MIDDLE
    across = (
        "near the middle"
        if low <= lesion.x <= high
        else "left of the middle"
        if lesion.x < low
        else "right of the middle"
    )
    return (
        f"{_VIEWS.get(lesion.view, lesion.view)}: {down}, {across} of the drawing "
        f"({round(100 * lesion.x)}% from its left edge, {round(100 * lesion.y)}% from its top)"
    )


def title_of(lesion: Lesion, number: int) -> str:
    """Return the heading of a lesion."""
    return f"{number}. {lesion.site or _VIEWS.get(lesion.view, lesion.view)}"


def facts_about_person(person: Person) -> list[tuple[str, str]]:
    """Return what is known of a person, as names and values."""
    known = [
        ("Born", str(person.birth_year) if person.birth_year else ""),
        ("Sex", person.sex or ""),
        ("Fitzpatrick skin type", _SKIN_TYPES[person.skin_type - 1] if person.skin_type else ""),
        ("Recorded since", day(person.created_at)),
    ]
    return [(name, value) for name, value in known if value]


def facts_about_lesion(lesion: Lesion) -> list[tuple[str, str]]:
    """Return what is known of a lesion, as names and values."""
    due = lesion.due_at
    known = [
        ("Place", place(lesion)),
        ("Colour tag", lesion.colour or ""),
        ("Next photo", "" if due is None else f"due {day(due)}, {lesion.reminder_months} months after the last"),
    ]
    return [(name, value) for name, value in known if value]


def model_name(analysis: StoredAnalysis) -> str:
    """Return which model answered, with the first digits of its graph's SHA-256."""
    if analysis.engine == "unknown":
        return f"{analysis.model} (taken over from another program; version and network are not known)"
    return f"{analysis.model} {analysis.version} (network {analysis.graph_sha256[:12]}, {analysis.engine})"


def answer(analysis: StoredAnalysis) -> str:
    """Return the answer in one sentence; one that must not be relied on says so first."""
    top = max(range(len(CODES)), key=analysis.probabilities.__getitem__)
    nearest = f"{DIAGNOSES[top].name}, {percent(analysis.probabilities[top])}"
    if _unsuitable(analysis):
        return f"{NOT_DERMOSCOPIC} Not to be relied on: {nearest}."
    if analysis.prediction == NOT_CONFIDENT_INDEX:
        return f"Not confident: the model does not know. Nearest: {nearest}."
    given = diagnosis(analysis.prediction)
    return f"{given.name}, {percent(analysis.probabilities[given.index])}."


def possible(analysis: StoredAnalysis) -> str:
    """Return the diagnoses that the rule could not rule out; empty without a rule or for an unsuitable photo."""
    if not analysis.prediction_set or _unsuitable(analysis):
        return ""
    return ", ".join(DIAGNOSES[index].name for index in analysis.prediction_set)


def doubts(analysis: StoredAnalysis) -> list[str]:
    """Return why a photo may not be judged, and what would make the next one better."""
    return [
        *_messages((analysis.suitability or {}).get("reasons")),
        *_messages((analysis.quality or {}).get("hints")),
    ]


def _unsuitable(analysis: StoredAnalysis) -> bool:
    return (analysis.suitability or {}).get("suitable") is False


def _messages(hints: object) -> list[str]:
    # What was imported from elsewhere may have any form.
    given: Iterable[object] = hints if isinstance(hints, list) else []
    return [str(hint["message"]) for hint in given if isinstance(hint, dict) and hint.get("message")]
