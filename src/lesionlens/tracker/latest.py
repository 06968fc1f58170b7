"""What was last said of many lesions at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lesionlens.tracker.conversions import to_analysis
from lesionlens.tracker.database.models import AnalysisRow, VisitRow
from lesionlens.tracker.records import StoredAnalysis

__all__ = ["LatestAnalysis", "latest_analyses"]

_AT_ONCE: Final = 500  # a statement may hold only so many values


@dataclass(frozen=True, slots=True)
class LatestAnalysis:
    """What was last said of a lesion: the newest analysis of its latest photo that has one.

    Attributes:
        visit_id: The visit with that photo.
        taken_at: When the photo was taken, with the UTC offset that was given.
        analysis: What was said of it.
    """

    visit_id: str
    taken_at: datetime
    analysis: StoredAnalysis


def latest_analyses(session: Session, lesion_ids: Iterable[str]) -> dict[str, LatestAnalysis]:
    """Return, for each lesion, the newest analysis of its latest photo that has one; deleted visits do not count.

    Args:
        session: A transaction.
        lesion_ids: The lesions.

    Returns:
        By lesion id; a lesion without any analysis is left out.
    """
    found: dict[str, LatestAnalysis] = {}
    ids = list(lesion_ids)
    for start in range(0, len(ids), _AT_ONCE):
        ranked = (
            select(
                AnalysisRow.id,
                VisitRow.lesion_id,
                VisitRow.taken_at,
                VisitRow.taken_offset,
                func.row_number()
                .over(
                    partition_by=VisitRow.lesion_id,
                    order_by=(
                        VisitRow.taken_at.desc(),
                        VisitRow.id.desc(),
                        AnalysisRow.created_at.desc(),
                        AnalysisRow.id.desc(),
                    ),
                )
                .label("place"),
            )
            .join(VisitRow, VisitRow.id == AnalysisRow.visit_id)
            .where(VisitRow.lesion_id.in_(ids[start : start + _AT_ONCE]), VisitRow.deleted_at.is_(None))
            .subquery()
        )
        statement = (
            select(AnalysisRow, ranked.c.lesion_id, ranked.c.taken_at, ranked.c.taken_offset)
            .join(ranked, ranked.c.id == AnalysisRow.id)
            .where(ranked.c.place == 1)
        )
        for analysis, lesion_id, taken_at, offset in session.execute(statement):
            local = taken_at.astimezone(timezone(timedelta(minutes=offset)))
            found[lesion_id] = LatestAnalysis(analysis.visit_id, local, to_analysis(analysis))
    return found
