"""What is said of one file, small enough to keep for thousands of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from lesionlens.classifier import Analysis
from lesionlens.taxonomy import DIAGNOSES, NOT_CONFIDENT

__all__ = ["Result", "printable"]


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
    photo_jpeg: bytes = field(default=b"", repr=False)
    overlay_jpeg: bytes = field(default=b"", repr=False)

    @classmethod
    def of(
        cls,
        file: Path,
        analysis: Analysis,
        size: tuple[int, int],
        *,
        overlay: str = "",
        photo_jpeg: bytes = b"",
        overlay_jpeg: bytes = b"",
    ) -> Result:
        """Sum up an analysis.

        Args:
            file: The file that was analysed.
            analysis: What the model says of it.
            size: Width and height of the upright picture in pixels.
            overlay: Path of the heatmap that was written.
            photo_jpeg: Small JPEG of the picture.
            overlay_jpeg: Small JPEG of the heatmap over it.
        """
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
            photo_jpeg=photo_jpeg,
            overlay_jpeg=overlay_jpeg,
        )

    @property
    def confident(self) -> bool:
        """Whether the answer is one of the eight diagnoses."""
        return bool(self.code) and self.code != NOT_CONFIDENT.code


def printable(name: str | Path) -> str:
    """Return a file's name as text that any terminal and any UTF-8 file can hold.

    A name may hold bytes that are not UTF-8, and control characters that move a terminal's cursor; both become "�".
    """
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "�" for c in text)
