"""What models said of the visits' photos: kept beside each other, and read."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session, undefer

from lesionlens.errors import RecordNotFoundError
from lesionlens.taxonomy import NUM_CLASSES
from lesionlens.tracker.analyses import MAP_DTYPE, NewAnalysis
from lesionlens.tracker.conversions import to_analysis
from lesionlens.tracker.creation import Creating, Creation
from lesionlens.tracker.database.models import AnalysisRow, VisitRow
from lesionlens.tracker.ids import is_id
from lesionlens.tracker.records import StoredAnalysis, Visit
from lesionlens.tracker.visit_rows import analysis_row

__all__ = ["AnalysesOfVisits"]


class AnalysesOfVisits(Creating[VisitRow, Visit]):
    """The part of `Visits` that is about analyses. None is ever written over."""

    def add_analysis(self, visit_id: str, analysis: NewAnalysis) -> StoredAnalysis:
        """Keep what another model, or the same one, says of a visit's photo, beside all that was said before.

        Raises:
            RecordNotFoundError: There is no such visit.
        """
        with self._store.database.write() as session:
            self.load_row(session, visit_id, keep=True)
            return _add(session, visit_id, analysis)

    def add_analysis_once(self, visit_id: str, analysis: NewAnalysis) -> Creation[StoredAnalysis]:
        """Keep what a model says of a visit's photo, unless that very graph has been heard on it already.

        Returns:
            The analysis; not a new one but the newest of that graph where there was one.

        Raises:
            RecordNotFoundError: There is no such visit.
        """
        with self._store.database.write() as session:
            # Locked, so that of two who ask at once the second finds what the first has added.
            row = self.load_row(session, visit_id, lock=True)
            for known in reversed(row.analyses):
                if known.graph_sha256 == analysis.graph_sha256:
                    return Creation(to_analysis(known), new=False)
            return Creation(_add(session, visit_id, analysis), new=True)

    def analysis(self, analysis_id: str) -> StoredAnalysis:
        """Return an analysis, without its maps.

        Raises:
            RecordNotFoundError: There is no such analysis.
        """
        with self._store.database.read() as session:
            return to_analysis(_load(session, analysis_id))

    def maps(self, analysis_id: str) -> npt.NDArray[np.float32] | None:
        """Return the Grad-CAM maps of an analysis: float32 `[8, h, w]`; None if none were stored.

        Raises:
            RecordNotFoundError: There is no such analysis.
        """
        with self._store.database.read() as session:
            row = _load(session, analysis_id, with_maps=True)
            if row.maps is None or row.maps_height is None or row.maps_width is None:
                return None
            maps = np.frombuffer(row.maps, dtype=MAP_DTYPE).reshape(NUM_CLASSES, row.maps_height, row.maps_width)
            return maps.astype(np.float32)


def _add(session: Session, visit_id: str, analysis: NewAnalysis) -> StoredAnalysis:
    row = analysis_row(visit_id, analysis, datetime.now(UTC))
    session.add(row)
    session.flush()
    return to_analysis(row)


def _load(session: Session, analysis_id: str, *, with_maps: bool = False) -> AnalysisRow:
    options = [undefer(AnalysisRow.maps)] if with_maps else []
    row = session.get(AnalysisRow, analysis_id, options=options) if is_id(analysis_id) else None
    if row is None:
        raise RecordNotFoundError(f"there is no analysis {analysis_id[:60]!r}")
    return row
