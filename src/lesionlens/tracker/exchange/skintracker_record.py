"""One record of the SkinTracker app: a photo of a mole, and what its service said of it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError

from lesionlens.taxonomy import MALIGNANT_INDEXES, NOT_CONFIDENT_INDEX, NUM_CLASSES
from lesionlens.tracker.exchange.documents import AnalysisDocument, PhotoDocument, VisitDocument
from lesionlens.tracker.exchange.items import Photographed
from lesionlens.tracker.exchange.outcome import Skipped

__all__ = ["GRAPH_SHA256", "GRAPH_TEXT", "MODEL", "NAMESPACE", "NO_KEY", "read_key", "read_moment", "read_record"]

NAMESPACE: Final = uuid.UUID("c8b4f9d0-5a5e-5e0c-9b0a-2f6d1f3a7e41")
"""Of the ids that are made from the app's (UUID version 5, RFC 9562, section 5.5); arbitrary, and must never change."""

MODEL: Final = "skintracker"
GRAPH_TEXT: Final = "lesionlens: an analysis taken over from the SkinTracker app, whose model is not known"
GRAPH_SHA256: Final = hashlib.sha256(GRAPH_TEXT.encode()).hexdigest()
"""Stands where the SHA-256 of a model's graph would: of a text that says that the graph is not known."""

NO_KEY: Final = "it has no id; accepted: a text or a whole number"

_UNKNOWN: Final = "unknown"
_LEAST: Final = 1e-12  # a probability of 0 has no logarithm
_SUM_SLACK: Final = 0.01
_DATA_URL: Final = re.compile(r"data:image/[a-z0-9.+-]+(?:;[a-z0-9-]+=[^;,]*)*;base64,", re.IGNORECASE)
_DAY_ONLY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MILLISECONDS: Final = 1000


def read_record(record: Any, lesion_id: str, called: str) -> Photographed | Skipped:
    """Read a record.

    Args:
        record: As the JSON has it.
        lesion_id: Of which lesion it becomes a visit.
        called: Names it in messages, before its own id is known.

    Returns:
        The visit, its analysis if it has one that can be used; or why it cannot be taken.
    """
    if not isinstance(record, dict):
        return Skipped(called, "it is no object")
    key = read_key(record)
    if key is None:
        return Skipped(called, NO_KEY)
    called = f"{called.rsplit(',', 1)[0]}, record {key[:60]!r}"
    taken_at = read_moment(record.get("date"))
    if taken_at is None:
        return Skipped(called, f"date is {str(record.get('date'))[:40]!r}; accepted: an ISO 8601 date, or milliseconds")
    try:
        data = _image(record.get("image"))
    except ValueError as error:
        return Skipped(called, str(error))
    visit_id = uuid.uuid5(uuid.UUID(lesion_id), f"record:{key}")
    analyses: tuple[AnalysisDocument, ...] = ()
    remarks: tuple[Skipped, ...] = ()
    try:
        analyses = (_analysis(record, str(uuid.uuid5(visit_id, "analysis")), taken_at),)
    except ValueError as error:
        remarks = (Skipped(f"analysis of {called}", f"{error}; the photo was taken over without it"),)
    try:
        visit = VisitDocument(
            id=str(visit_id),
            lesion_id=lesion_id,
            taken_at=taken_at,
            note="",
            # What the photo is in truth is found out when it is imported; only the hash counts here.
            photo=PhotoDocument(
                sha256=hashlib.sha256(data).hexdigest(),
                media_type="",
                width=0,
                height=0,
                byte_size=len(data),
                created_at=taken_at,
            ),
            analyses=analyses,
            created_at=taken_at,
            updated_at=taken_at,
            deleted_at=None,
        )
    except ValidationError:  # all but the time is ours
        return Skipped(called, f"date is {str(record['date'])[:40]!r}, which is out of range")
    return Photographed(visit, lambda: data, called, remarks)


def read_key(given: dict[str, Any]) -> str | None:
    """Return the id that the app gave to a mole or a record, as text; None if it has none."""
    key = given.get("id")
    if isinstance(key, bool) or not isinstance(key, str | int):
        return None
    text = str(key)
    try:
        text.encode()  # JSON can hold half a character, of which no id can be made
    except UnicodeEncodeError:
        return None
    return text or None


def read_moment(value: Any) -> datetime | None:
    """Return a date of the app; None if it is none.

    Args:
        value: ISO 8601 with or without a UTC offset (UTC is taken then, as JavaScript writes it), or milliseconds since
            1970 (`Date.now()`).
    """
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / _MILLISECONDS, UTC)
        if not isinstance(value, str):
            return None
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)  # the first and the last day of the calendar have no UTC
    except (ValueError, OverflowError, OSError):
        return None
    return moment


def _image(value: Any) -> bytes:
    match = _DATA_URL.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("image is no data URL of a picture (data:image/…;base64,…)")
    try:
        return base64.b64decode(value[match.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"image is a data URL whose base64 is damaged ({error})") from error


def _analysis(record: dict[str, Any], analysis_id: str, created_at: datetime) -> AnalysisDocument:
    prediction, given = record.get("prediction"), record.get("probabilities")
    if isinstance(prediction, bool) or not isinstance(prediction, int) or not 0 <= prediction <= NOT_CONFIDENT_INDEX:
        raise ValueError(f"prediction is {str(prediction)[:40]!r}; accepted: 0–{NOT_CONFIDENT_INDEX}")
    if not isinstance(given, list) or len(given) not in (NUM_CLASSES, NUM_CLASSES + 1):
        raise ValueError(f"probabilities are no list of {NUM_CLASSES + 1} numbers")
    probabilities = given[:NUM_CLASSES]
    if any(isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1 for p in probabilities):
        raise ValueError("a probability is no number between 0 and 1")
    if abs(math.fsum(probabilities) - 1) > _SUM_SLACK:
        raise ValueError(f"the probabilities sum to {math.fsum(probabilities):.3f} and not to 1")
    return AnalysisDocument(
        id=analysis_id,
        model=MODEL,
        version=_UNKNOWN,
        graph_sha256=GRAPH_SHA256,
        engine=_UNKNOWN,
        prediction=prediction,
        probabilities=tuple(float(p) for p in probabilities),
        # Softmax of these gives the probabilities back; the network's own are not known.
        logits=tuple(math.log(max(p, _LEAST)) for p in probabilities),
        malignant_probability=min(1.0, math.fsum(probabilities[i] for i in MALIGNANT_INDEXES)),
        seen_box=None,
        prediction_set=None,
        suitability=None,
        quality=None,
        maps=None,
        created_at=created_at,
    )
