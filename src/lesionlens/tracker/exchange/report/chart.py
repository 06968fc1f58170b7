"""The chart of the malignant probability over time: where everything goes, for whoever draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from lesionlens.tracker.exchange.report.words import MONTHS, day
from lesionlens.tracker.records import StoredAnalysis, Visit

__all__ = ["Chart", "Series", "make_chart"]

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
"""Told apart with any colour vision: Okabe and Ito 2008, Color Universal Design."""

_FEWEST: Final = 2
_CLEAR: Final = 0.24  # of the axis at either end, which the days there take


@dataclass(frozen=True, slots=True)
class Series:
    """What one model said.

    Attributes:
        name: Of the model.
        colour: As `#rrggbb`.
        points: Time as a share of the chart's span, malignant probability, and whether the photo was suitable;
            by time.
    """

    name: str
    colour: str
    points: tuple[tuple[float, float, bool], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Malignant probability over time.

    Attributes:
        series: One for each model, the oldest first.
        ticks: Places along the time axis as shares of its span, and the days there.
        summary: What the chart shows, in a sentence.
    """

    series: tuple[Series, ...]
    ticks: tuple[tuple[float, str], ...]
    summary: str


def make_chart(visits: Sequence[Visit]) -> Chart | None:
    """Return the chart of a lesion's visits; None where fewer than two were analysed.

    Args:
        visits: By the time of their photos.
    """
    analysed = [visit for visit in visits if visit.analyses]
    if len(analysed) < _FEWEST:
        return None
    first, last = analysed[0].taken_at, analysed[-1].taken_at
    span = max(last - first, timedelta(seconds=1))
    by_model: dict[str, list[tuple[datetime, StoredAnalysis]]] = {}
    for visit in analysed:
        # A model that looked at a photo twice said the same; the last word counts.
        latest = {analysis.graph_sha256: analysis for analysis in visit.analyses}
        for graph, analysis in latest.items():
            by_model.setdefault(graph, []).append((visit.taken_at, analysis))
    series = tuple(
        Series(
            f"{answers[0][1].model} {answers[0][1].version}",
            COLOURS[i % len(COLOURS)],
            tuple(
                ((when - first) / span, a.malignant_probability, (a.suitability or {}).get("suitable") is not False)
                for when, a in answers
            ),
        )
        for i, answers in enumerate(by_model.values())
    )
    return Chart(series, _ticks(first, last), f"Malignant probability from {day(first)} to {day(last)}")


def _ticks(first: datetime, last: datetime) -> tuple[tuple[float, str], ...]:
    """Both ends, and the begins of years or months between them where they have room."""
    span = last - first
    if span < timedelta(days=1):
        return ((0.0, day(first)),)
    ends = [(0.0, day(first)), (1.0, day(last))]
    if span < timedelta(days=90):
        return tuple(ends)
    step = 12 if span > timedelta(days=3 * 365) else 6 if span > timedelta(days=550) else 3
    between = []
    year, month = first.astimezone(UTC).year, 1
    while (at := datetime(year, month, 1, tzinfo=UTC)) < last:
        share = (at - first) / span
        if _CLEAR < share < 1 - _CLEAR:
            between.append((share, str(year) if month == 1 else f"{MONTHS[month - 1][:3]} {year}"))
        year, month = divmod(12 * year + month - 1 + step, 12)
        month += 1
    most = 4
    stride = max(1, -(-len(between) // most))
    return (ends[0], *between[::stride], ends[1])
