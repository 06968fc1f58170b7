"""Everything that a store knows, or all of one person, as one ZIP file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import IO, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from lesionlens.errors import DamagedPhotoError, RecordNotFoundError
from lesionlens.tracker.database.models import AnalysisRow, LesionRow, PersonRow, PhotoRow, VisitRow
from lesionlens.tracker.exchange import layout
from lesionlens.tracker.exchange.archive_writer import ArchiveWriter
from lesionlens.tracker.exchange.documents import as_json
from lesionlens.tracker.exchange.outcome import Exported
from lesionlens.tracker.exchange.report.both import write_both
from lesionlens.tracker.exchange.rows import lesion_document, person_document, visit_document
from lesionlens.tracker.ids import is_id
from lesionlens.tracker.repository import Store
from lesionlens.tracker.tracker import Tracker

__all__ = ["Progress", "export"]

Progress = Callable[[int, int], None]
"""Called with how many visits and photos are done, and how many there are."""

_AT_ONCE: Final = 50  # visits in memory with their maps


def export(
    tracker: Tracker, stream: IO[bytes], person_id: str | None = None, *, progress: Progress | None = None
) -> Exported:
    """Write an export: records, photos, and a report to read for each person who is not deleted.

    The same records give the same bytes: files are in a fixed order, times and permissions in the ZIP are constant, and
    nothing says when the export was made. All of it is of one moment, whoever writes meanwhile. A photo whose file is
    lost or damaged is left out and told; the rest is exported.

    Args:
        tracker: The store.
        stream: A binary file that can be written and sought in, empty.
        person_id: Whose records; None for everybody's.
        progress: Told of every visit and photo.

    Returns:
        How much was written.

    Raises:
        RecordNotFoundError: There is no such person.
        StoreError: The database or a photo cannot be read.
    """
    store = tracker.store
    with store.database.read() as session, ArchiveWriter(stream) as archive:
        return _Export(store, session, archive, progress).write(person_id)


class _Export:
    def __init__(self, store: Store, session: Session, archive: ArchiveWriter, progress: Progress | None) -> None:
        self._store = store
        self._session = session
        self._archive = archive
        self._progress = progress
        self._done = self._total = 0
        self._exported = Exported()

    def write(self, person_id: str | None) -> Exported:
        people = select(PersonRow).order_by(PersonRow.id)
        if person_id is not None:
            if not is_id(person_id) or self._session.get(PersonRow, person_id) is None:
                raise RecordNotFoundError(f"there is no person {person_id[:60]!r}")
            people = people.where(PersonRow.id == person_id)
        chosen = people.with_only_columns(PersonRow.id).order_by(None)
        visits = (
            select(VisitRow.id)
            .join(LesionRow, LesionRow.id == VisitRow.lesion_id)
            .where(LesionRow.person_id.in_(chosen))
        )
        photos = (
            select(PhotoRow.sha256, PhotoRow.media_type)
            .order_by(PhotoRow.sha256)
            .where(PhotoRow.sha256.in_(select(VisitRow.photo_sha256).where(VisitRow.id.in_(visits))))
        )
        count = select(func.count())
        self._total = (self._session.scalar(count.select_from(visits.subquery())) or 0) + (
            self._session.scalar(count.select_from(photos.order_by(None).subquery())) or 0
        )
        self._archive.add(layout.README, layout.README_TEXT.encode())
        for person in self._session.scalars(people).all():
            self._person(person)
        for sha256, media_type in self._session.execute(photos).all():
            self._photo(sha256, media_type)
        counts = asdict(self._exported)
        missing = counts.pop("missing_photos")
        self._archive.add(layout.INDEX, as_json(layout.Index.of(counts, missing)))
        return self._exported

    def _person(self, person: PersonRow) -> None:
        self._archive.add(layout.person_name(person.id), as_json(person_document(person)))
        self._exported.people += 1
        lesions = select(LesionRow).where(LesionRow.person_id == person.id).order_by(LesionRow.id)
        for lesion in self._session.scalars(lesions).all():
            self._archive.add(layout.lesion_name(person.id, lesion.id), as_json(lesion_document(lesion)))
            self._exported.lesions += 1
            for visit in self._visits(lesion.id):
                self._archive.add(layout.visit_name(person.id, lesion.id, visit.id), as_json(visit_document(visit)))
                self._exported.visits += 1
                self._exported.analyses += len(visit.analyses)
                self._step()
        if person.deleted_at is None:
            with self._archive.open(layout.report_name(person.id, "html")) as page:
                pdf = write_both(self._store, self._session, person, page)
            self._archive.add(layout.report_name(person.id, "pdf"), pdf)

    def _visits(self, lesion_id: str) -> Iterator[VisitRow]:
        statement = (
            select(VisitRow)
            .where(VisitRow.lesion_id == lesion_id)
            .order_by(VisitRow.id)
            .options(selectinload(VisitRow.analyses).undefer(AnalysisRow.maps))
            .execution_options(yield_per=_AT_ONCE)
        )
        for visits in self._session.scalars(statement).partitions():
            yield from visits
            self._session.expunge_all()  # or the maps of every visit would stay in memory

    def _photo(self, sha256: str, media_type: str) -> None:
        try:
            data = self._store.photos.read(sha256)
        except DamagedPhotoError:
            self._exported.missing_photos.append(sha256)
        else:
            self._archive.add(layout.photo_name(sha256, media_type), data)
            self._exported.photos += 1
        self._step()

    def _step(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)
