"""Between the rows of the database and the documents of an export, in both directions, with nothing lost."""

from __future__ import annotations

from typing import Any

from lesionlens.tracker.conversions import to_analysis, to_visit
from lesionlens.tracker.database.columns import sort_key
from lesionlens.tracker.database.models import AnalysisRow, LesionRow, PersonRow, VisitRow
from lesionlens.tracker.exchange.documents import (
    AnalysisDocument,
    Document,
    LesionDocument,
    MapsDocument,
    PersonDocument,
    PhotoDocument,
    VisitDocument,
)
from lesionlens.tracker.visit_rows import moment_columns

__all__ = [
    "analysis_document",
    "lesion_document",
    "lesion_row",
    "person_document",
    "person_row",
    "visit_document",
    "visit_row",
]


def person_document(row: PersonRow) -> PersonDocument:
    """Return the document of a person."""
    return PersonDocument(**_columns(row, PersonDocument))


def lesion_document(row: LesionRow) -> LesionDocument:
    """Return the document of a lesion."""
    return LesionDocument(**_columns(row, LesionDocument))


def analysis_document(row: AnalysisRow) -> AnalysisDocument:
    """Return the document of an analysis; loads its maps if they are not loaded yet."""
    record = to_analysis(row)
    values = {name: getattr(record, name) for name in AnalysisDocument.model_fields if name != "maps"}
    maps = None
    if row.maps is not None and row.maps_height is not None and row.maps_width is not None:
        maps = MapsDocument.of(row.maps, row.maps_height, row.maps_width)
    return AnalysisDocument(**values, maps=maps)


def visit_document(row: VisitRow) -> VisitDocument:
    """Return the document of a visit, with its photo's and its analyses'."""
    record = to_visit(row)
    own = {"taken_at", "photo", "analyses"}
    values = {name: getattr(row, name) for name in VisitDocument.model_fields if name not in own}
    return VisitDocument(
        **values,
        taken_at=record.taken_at,
        photo=PhotoDocument(**_columns(row.photo, PhotoDocument)),
        analyses=tuple(analysis_document(analysis) for analysis in row.analyses),
    )


def person_row(document: PersonDocument) -> PersonRow:
    """Return a new row for a person that was checked."""
    return PersonRow(**dict(document), label_key=sort_key(document.label))


def lesion_row(document: LesionDocument) -> LesionRow:
    """Return a new row for a lesion that was checked."""
    return LesionRow(**dict(document), site_key=sort_key(document.site))


def visit_row(document: VisitDocument) -> VisitRow:
    """Return a new row for a visit that was checked, without its photo's and its analyses'."""
    left_out = {"taken_at", "photo", "analyses"}
    return VisitRow(
        **{name: value for name, value in document if name not in left_out},
        photo_sha256=document.photo.sha256,
        **moment_columns(document.taken_at),
    )


def _columns(row: object, document: type[Document]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in document.model_fields}
