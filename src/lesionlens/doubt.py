"""The doubt about an answer, in words and as plain data: the same over HTTP, in files, in a terminal and on the page.

Two rules decide whether an answer may be relied on (`Analysis.decided_by`):

- `suitability`: the picture does not look like those that the network was trained on. It comes first, since what a
  network says of other pictures means nothing, however sure it is.
- `max_probability`: the highest probability against the bundle's threshold.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any, Final, Literal, Protocol

from lesionlens.imaging.quality import Hint, Quality
from lesionlens.suitability import Suitability
from lesionlens.taxonomy import diagnosis

__all__ = ["NOT_DERMOSCOPIC", "Answer", "as_hints", "as_quality", "as_suitability", "explain"]

NOT_DERMOSCOPIC: Final = "This does not look like a dermoscopic image."
"""Said wherever a person reads the answer to a picture that is not suitable."""


class Answer(Protocol):
    """What is explained: `lesionlens.classifier.Analysis`, or one that was kept."""

    @property
    def top(self) -> int:
        """Index 0–7 of the most probable diagnosis."""

    @property
    def max_confidence(self) -> float:
        """The highest of the eight probabilities."""

    @property
    def decided_by(self) -> Literal["max_probability", "suitability"]:
        """The rule behind `confident`."""

    @property
    def confident(self) -> bool:
        """Whether the answer may be relied on as far as the model can tell."""


def explain(analysis: Answer, threshold: float | None) -> str:
    """Say in one or two sentences why the answer may be relied on, or why not.

    Args:
        analysis: What the model says of a picture.
        threshold: The bundle's threshold on the highest probability, 0–1; None where it is not known any more.
    """
    if analysis.decided_by == "suitability":
        return f"{NOT_DERMOSCOPIC} Do not rely on the answer."
    # Rounded down: what is below 50 % must not read 50.0 %.
    nearest, chance = diagnosis(analysis.top).name, f"{math.floor(1000 * analysis.max_confidence) / 10:.1f}%"
    if threshold is None:
        said = f"{nearest} has {chance}" if analysis.confident else f"the nearest diagnosis, {nearest}, has {chance}"
        return f"{said}." if analysis.confident else f"The model did not know: {said}."
    needed = f"{100 * threshold:.4g}%"
    if analysis.confident:
        return f"{nearest} has {chance}; an answer needs {needed}."
    return f"The model does not know: no diagnosis reached {needed}; the nearest, {nearest}, has {chance}."


def as_hints(hints: tuple[Hint, ...]) -> list[dict[str, str]]:
    """Return remarks on a picture as plain data: `code` and `message` of each."""
    return [hint._asdict() for hint in hints]


def as_quality(quality: Quality) -> dict[str, Any]:
    """Return what was measured on a picture as plain data: the numbers by name, then `hints`."""
    numbers = {field.name: getattr(quality, field.name) for field in fields(quality) if field.name != "hints"}
    return numbers | {"hints": as_hints(quality.hints)}


def as_suitability(suitability: Suitability | None) -> dict[str, Any] | None:
    """Return whether a picture may be judged as plain data, with a `message` for a person.

    Args:
        suitability: The finding; None when the bundle has no statistics.

    Returns:
        `suitable`, `score`, `threshold`, `message` (None when the picture is suitable) and `reasons`; None for None.
    """
    if suitability is None:
        return None
    return {
        "suitable": suitability.suitable,
        "score": suitability.score,
        "threshold": suitability.threshold,
        "message": None if suitability.suitable else NOT_DERMOSCOPIC,
        "reasons": as_hints(suitability.reasons),
    }
