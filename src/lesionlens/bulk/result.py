"""What is said of one file, small enough to keep for thousands of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lesionlens.classifier import Analysis
from lesionlens.imaging.quality import Quality
from lesionlens.suitability import Suitability
from lesionlens.taxonomy import CODES, DIAGNOSES, NOT_CONFIDENT

__all__ = ["NOTICE", "Count", "Result", "printable"]

NOTICE: Final = "Research tool, not a diagnosis"
"""What every row of a table says, since rows are copied out of their tables."""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer for one file, or why there is none.

    Attributes:
        file: The file as it was named, safe to print.
        error: Why there is no answer, in words; None if there is one.
        code: Code of the answer, `NOT_CONFIDENT` included; empty after an error.
        answer: The answer in words; empty after an error.
        nearest: Name of the most probable diagnosis, which differs from the answer when that is "not confident".
        confidence: Highest probability, 0–1.
        malignant_probability: Summed probability of the malignant diagnoses, 0–1.
        probabilities: Probability of each diagnosis by code, in model order; empty after an error.
        width: Width of the upright picture in pixels.
        height: Height of the upright picture in pixels.
        overlay: Path of the heatmap that was written, or empty.
        confident: Whether the answer may be relied on as far as the model can tell (`Analysis.confident`); false after
            an error.
        decided_by: The rule behind that (`Analysis.decided_by`); empty after an error.
        prediction_set: Codes of the diagnoses that stay possible, the most probable first; None without a rule.
        coverage: Share of pictures whose diagnosis such sets are made to hold, 0–1; None without a rule.
        suitability: Whether the picture looks like those trained on; None when the model cannot tell.
        quality: What was measured on the picture; None after an error.
        photo_jpeg: Small JPEG of the picture, if it was asked for.
        overlay_jpeg: Small JPEG of the heatmap over it, if it was asked for.
    """

    file: str
    error: str | None = None
    code: str = ""
    answer: str = ""
    nearest: str = ""
    confidence: float = 0.0
    malignant_probability: float = 0.0
    probabilities: dict[str, float] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    overlay: str = ""
    confident: bool = False
    decided_by: str = ""
    prediction_set: tuple[str, ...] | None = None
    coverage: float | None = None
    suitability: Suitability | None = None
    quality: Quality | None = None
    photo_jpeg: bytes = field(default=b"", repr=False)
    overlay_jpeg: bytes = field(default=b"", repr=False)

    @classmethod
    def of(
        cls,
        file: str | Path,
        analysis: Analysis,
        size: tuple[int, int],
        *,
        coverage: float | None = None,
        overlay: str = "",
        photo_jpeg: bytes = b"",
        overlay_jpeg: bytes = b"",
    ) -> Result:
        """Sum up an analysis.

        Args:
            file: The file that was analysed.
            analysis: What the model says of it.
            size: Width and height of the upright picture in pixels.
            coverage: What the bundle's rule for prediction sets covers; None without a rule.
            overlay: Path of the heatmap that was written.
            photo_jpeg: Small JPEG of the picture.
            overlay_jpeg: Small JPEG of the heatmap over it.
        """
        possible = analysis.prediction_set
        return cls(
            file=printable(file),
            code=analysis.diagnosis.code,
            answer=analysis.diagnosis.name,
            nearest=DIAGNOSES[analysis.top].name,
            confidence=analysis.max_confidence,
            malignant_probability=analysis.malignant_probability,
            probabilities=analysis.probabilities_by_code,
            width=size[0],
            height=size[1],
            overlay=overlay,
            confident=analysis.confident,
            decided_by=analysis.decided_by,
            prediction_set=None if possible is None else tuple(CODES[index] for index in possible),
            coverage=None if possible is None else coverage,
            suitability=analysis.suitability,
            quality=analysis.quality,
            photo_jpeg=photo_jpeg,
            overlay_jpeg=overlay_jpeg,
        )

    @property
    def answer_in_words(self) -> str:
        """The model's answer, with the nearest diagnosis where it is "not confident"; empty after an error."""
        return f"{self.answer} (nearest: {self.nearest})" if self.code == NOT_CONFIDENT.code else self.answer

    @property
    def suitable(self) -> bool:
        """Whether nothing speaks against the picture: it looks like those trained on, or the model cannot tell."""
        return self.suitability is None or self.suitability.suitable

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks against the picture, in sentences; empty when it is suitable."""
        return () if self.suitability is None else tuple(reason.message for reason in self.suitability.reasons)

    @property
    def hints(self) -> tuple[str, ...]:
        """What would make the next photo better, in sentences."""
        return () if self.quality is None else tuple(hint.message for hint in self.quality.hints)


@dataclass(slots=True)
class Count:
    """How many results there were, and of what kind.

    Attributes:
        files: All of them.
        failed: Those without an answer.
        not_suitable: Those of pictures that do not look like dermoscopic images; they have an answer.
    """

    files: int = 0
    failed: int = 0
    not_suitable: int = 0

    def add(self, result: Result) -> None:
        """Count one result."""
        self.files += 1
        self.failed += result.error is not None
        self.not_suitable += not result.suitable

    def include(self, other: Count) -> None:
        """Count what was counted elsewhere."""
        self.files += other.files
        self.failed += other.failed
        self.not_suitable += other.not_suitable

    def in_words(self, noun: str) -> str:
        """Return the counts as a sentence without its full stop.

        Args:
            noun: What is counted, in the singular, such as `file`.
        """
        text = f"{self.files} {noun}{'s' * (self.files != 1)}, {self.failed} without an answer"
        return f"{text}, {self.not_suitable} not like a dermoscopic image" if self.not_suitable else text


def printable(name: str | Path) -> str:
    """Return a file's name as text that any terminal and any UTF-8 file can hold.

    A name may hold bytes that are not UTF-8, and control characters that move a terminal's cursor; both become "�".
    """
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "�" for c in text)
