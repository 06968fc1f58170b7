"""Taking records of elsewhere into a store, ids and times included, without ever writing over what is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from lesionlens.errors import ImageError, InvalidRecordError, RecordNotFoundError
from lesionlens.tracker.database.models import AnalysisRow, LesionRow, PersonRow, VisitRow
from lesionlens.tracker.exchange.documents import AnalysisDocument, LesionDocument, PersonDocument, VisitDocument
from lesionlens.tracker.exchange.items import Compared, Item, Photographed, Source
from lesionlens.tracker.exchange.outcome import Imported, Skipped
from lesionlens.tracker.exchange.rows import (
    analysis_document,
    lesion_document,
    lesion_row,
    person_document,
    person_row,
    visit_document,
    visit_row,
)
from lesionlens.tracker.lesions import Lesions
from lesionlens.tracker.people import People
from lesionlens.tracker.pictures import describe_photo
from lesionlens.tracker.repository import Store
from lesionlens.tracker.visit_rows import analysis_row, name_photo

__all__ = ["Progress", "import_items"]

Progress = Callable[[int, int], None]
"""Called with how many visits are done, and how many there are."""

_ATTEMPTS: Final = 3
_Record = TypeVar("_Record", PersonDocument, LesionDocument, VisitDocument)


def import_items(store: Store, source: Source, progress: Progress | None = None) -> Imported:
    """Take in what a store does not have yet.

    Each person, lesion and visit is a transaction of its own, so an import that was interrupted is simply repeated.
    A record that is there already with the same content is counted; one with other content is left as it is here, and
    told. A visit that is there gets the analyses that it lacks.

    Args:
        store: Where to.
        source: Where from.
        progress: Told of every visit.

    Raises:
        StoreError: The store failed; what was taken in before stays.
    """
    imported, done = Imported(), 0
    for item in source.items():
        _import_item(store, source.compared, item, imported)
        if isinstance(item, Photographed):
            done += 1
            if progress is not None:
                progress(done, source.visits)
    return imported


def _import_item(store: Store, compared: Compared, item: Item, imported: Imported) -> None:
    if isinstance(item, Skipped):
        imported.skipped.append(item)
        return
    what = item.called if isinstance(item, Photographed) else _named(item)
    for attempt in range(1, _ATTEMPTS + 1):
        attempted = Imported()
        try:
            if isinstance(item, Photographed):
                _import_visit(store, compared, item, attempted)
            elif isinstance(item, PersonDocument):
                _import_person(store, compared, item, attempted)
            else:
                _import_lesion(store, compared, item, attempted)
        except (InvalidRecordError, RecordNotFoundError, ImageError, ValueError) as error:
            attempted = Imported(skipped=[Skipped(what, str(error))])
        except IntegrityError:
            # Another import of the same records was quicker; now they are there.
            if attempt == _ATTEMPTS:
                raise
            continue
        break
    if isinstance(item, Photographed):
        imported.skipped.extend(item.remarks)
    imported.add(attempted)


def _import_person(store: Store, compared: Compared, given: PersonDocument, imported: Imported) -> None:
    person = given.checked()
    with store.database.write() as session:
        row = session.get(PersonRow, person.id)
        if row is None:
            session.add(person_row(person))
            imported.people += 1
        else:
            _compare(person, person_document(row), compared, imported)


def _import_lesion(store: Store, compared: Compared, given: LesionDocument, imported: Imported) -> None:
    lesion = given.checked()
    with store.database.write() as session:
        row = session.get(LesionRow, lesion.id)
        if row is None:
            People(store).load_row(session, lesion.person_id, "with", keep=True)
            session.add(lesion_row(lesion))
            imported.lesions += 1
        else:
            _compare(lesion, lesion_document(row), compared, imported)


def _import_visit(store: Store, compared: Compared, item: Photographed, imported: Imported) -> None:
    visit = item.visit.checked()
    with store.database.read() as session:
        there = session.get(VisitRow, visit.id) is not None
    if there:
        _complete_visit(store, compared, visit, imported)
        return
    Lesions(store).get(visit.lesion_id, deleted=True)  # so that no file is written for a lesion that is not there
    photo = item.photo()
    described = describe_photo(photo, store.limits)
    store.photos.keep(photo)
    with store.database.write() as session:
        Lesions(store).load_row(session, visit.lesion_id, "with", keep=True)
        imported.photos += name_photo(store, session, described, photo, visit.photo.created_at)
        session.add(visit_row(visit))
        session.flush()
        imported.visits += 1
        _add_analyses(session, visit, imported)


def _complete_visit(store: Store, compared: Compared, visit: VisitDocument, imported: Imported) -> None:
    with store.database.write() as session:
        row = session.get(VisitRow, visit.id)
        if row is None:
            raise RecordNotFoundError("it was erased while it was being imported")
        stored = visit_document(row)
        if stored.photo.sha256 != visit.photo.sha256:
            imported.skip(_named(visit), "the visit of this id shows another photo here; it was left as it is")
            return
        _compare(visit, stored, compared, imported)
        _add_analyses(session, visit, imported)


def _add_analyses(session: Session, visit: VisitDocument, imported: Imported) -> None:
    for analysis in visit.analyses:
        what = f"analysis {analysis.id} of the visit {visit.id}"
        row = session.get(AnalysisRow, analysis.id, options=[undefer(AnalysisRow.maps)])
        if row is not None:
            if row.visit_id == visit.id and _same(analysis, analysis_document(row)):
                imported.already_there += 1
            else:
                imported.skip(
                    what, "an analysis of this id is here already and says something else; it was left as it is"
                )
            continue
        try:
            checked = analysis.checked()
        except (InvalidRecordError, ValueError) as error:
            imported.skip(what, str(error))
            continue
        session.add(analysis_row(visit.id, checked, datetime.now(UTC), analysis_id=analysis.id))
        session.flush()
        imported.analyses += 1


def _compare(given: _Record, stored: _Record, compared: Compared, imported: Imported) -> None:
    different = [
        name for name in type(given).model_fields if name in compared[type(given)] and _differ(given, stored, name)
    ]
    if "deleted_at" in different and given.deleted_at is None:
        imported.skip(_named(given), "it is here already, but deleted; undelete it to see it again")
    elif different:
        imported.skip(_named(given), f"it is here already and differs in {', '.join(different)}; it was left as it is")
    else:
        imported.already_there += 1


def _differ(given: _Record, stored: _Record, name: str) -> bool:
    ours, theirs = getattr(stored, name), getattr(given, name)
    if name == "photo":  # what else is said of a photo comes from its bytes
        return bool(ours.sha256 != theirs.sha256)
    if isinstance(ours, datetime) and isinstance(theirs, datetime):
        return ours != theirs or (name == "taken_at" and ours.utcoffset() != theirs.utcoffset())
    return bool(ours != theirs)


def _same(given: AnalysisDocument, stored: AnalysisDocument) -> bool:
    # Numbers, texts and maps, each exactly; the moments may be written with different offsets.
    return (
        given.created_at == stored.created_at
        and given.model_copy(update={"created_at": stored.created_at}).plain() == stored.plain()
    )


def _named(document: PersonDocument | LesionDocument | VisitDocument) -> str:
    return f"{type(document).__name__.removesuffix('Document').lower()} {document.id}"
