"""Which wrong answers a reader should see, and their pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.attention import overlay
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.run import Finding
from lesionlens.taxonomy import BY_CODE, NOT_CONFIDENT_INDEX, Diagnosis, diagnosis

__all__ = ["Mistake", "data_url", "mistake", "worst"]

PER_KIND: Final = 8
SIDE: Final = 320  # pixels on the page; the report stays within a few hundred kilobytes


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer, ready for the page.

    Attributes:
        image: Identifier of the picture.
        source: Collection it comes from; empty if unknown.
        truth: What it is.
        answer: The most probable class.
        confidence: Probability of the answer, 0–1.
        truth_probability: Probability of what it is, 0–1.
        confident: Whether the answer reached the model's threshold, so that a user would have been told it.
        photo: The photo as a data URL.
        heatmap: The photo under the Grad-CAM of the answer as a data URL.
    """

    image: str
    source: str
    truth: Diagnosis
    answer: Diagnosis
    confidence: float
    truth_probability: float
    confident: bool
    photo: str
    heatmap: str


def worst(predictions: Predictions, per_kind: int = PER_KIND) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Choose the most confident wrong answers, one per lesion.

    Args:
        predictions: Truth and answers.
        per_kind: At most this many of each kind.

    Returns:
        Row numbers int64 of missed melanomas, then of other wrong answers; each by falling confidence.
    """
    wrong = predictions.top != predictions.label
    melanoma = predictions.label == BY_CODE["MEL"].index
    ranked = np.argsort(-predictions.confidence, kind="stable")
    kinds = (ranked[(wrong & melanoma)[ranked]], ranked[(wrong & ~melanoma)[ranked]])
    missed, other = (np.array(list(_first_of_group(predictions, rows))[:per_kind], dtype=np.int64) for rows in kinds)
    return missed, other


def _first_of_group(predictions: Predictions, rows: npt.NDArray[np.int64]) -> Iterator[int]:
    seen = set()
    for row in rows.tolist():
        if predictions.group[row] not in seen:
            seen.add(predictions.group[row])
            yield row


def mistake(finding: Finding) -> Mistake:
    """Prepare a wrong answer for the page."""
    sample, analysis = finding.sample, finding.analysis
    photo = finding.photo.copy()
    photo.thumbnail((SIDE, SIDE))
    return Mistake(
        image=sample.image,
        source=sample.source,
        truth=diagnosis(sample.label),
        answer=diagnosis(analysis.top),
        confidence=analysis.max_confidence,
        truth_probability=float(analysis.probabilities[sample.label]),
        confident=analysis.prediction != NOT_CONFIDENT_INDEX,
        photo=data_url(photo),
        heatmap=data_url(overlay(photo, analysis.maps[analysis.top], box=analysis.seen_box)),
    )


def data_url(picture: Image.Image, quality: int = 85) -> str:
    """Return a picture as a JPEG in a `data:` URL, for a page that fetches nothing."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
