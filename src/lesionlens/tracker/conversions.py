"""From the rows of the database to records."""

from __future__ import annotations

from datetime import timedelta, timezone

from lesionlens.taxonomy import NUM_CLASSES
from lesionlens.tracker.database.models import AnalysisRow, LesionRow, PersonRow, PhotoRow, VisitRow
from lesionlens.tracker.records import Lesion, Person, Photo, StoredAnalysis, Visit

__all__ = ["to_analysis", "to_lesion", "to_person", "to_photo", "to_visit"]


def to_person(row: PersonRow) -> Person:
    """Return a person's record."""
    return Person(
        id=row.id,
        label=row.label,
        birth_year=row.birth_year,
        sex=row.sex,
        skin_type=row.skin_type,
        note=row.note,
        lesion_count=row.lesion_count,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
    )


def to_lesion(row: LesionRow) -> Lesion:
    """Return a lesion's record."""
    return Lesion(
        id=row.id,
        person_id=row.person_id,
        view=row.view,
        x=row.x,
        y=row.y,
        site=row.site,
        note=row.note,
        colour=row.colour,
        reminder_months=row.reminder_months,
        visit_count=row.visit_count,
        last_visit_at=row.last_visit_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
    )


def to_photo(row: PhotoRow) -> Photo:
    """Return a photo's record."""
    return Photo(row.sha256, row.media_type, row.width, row.height, row.byte_size)


def to_analysis(row: AnalysisRow) -> StoredAnalysis:
    """Return the record of an analysis, without loading its maps."""
    box = row.seen_box
    with_maps = row.maps_height is not None and row.maps_width is not None
    return StoredAnalysis(
        id=row.id,
        visit_id=row.visit_id,
        model=row.model,
        version=row.version,
        graph_sha256=row.graph_sha256,
        engine=row.engine,
        prediction=row.prediction,
        # A whole number may come out of JSON as an integer.
        probabilities=tuple(float(p) for p in row.probabilities),
        logits=tuple(float(v) for v in row.logits),
        malignant_probability=row.malignant_probability,
        seen_box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])) if box else None,
        prediction_set=None if row.prediction_set is None else tuple(row.prediction_set),
        suitability=row.suitability,
        quality=row.quality,
        maps_shape=(NUM_CLASSES, row.maps_height or 0, row.maps_width or 0) if with_maps else None,
        created_at=row.created_at,
    )


def to_visit(row: VisitRow) -> Visit:
    """Return a visit's record with its photo and analyses."""
    return Visit(
        id=row.id,
        lesion_id=row.lesion_id,
        taken_at=row.taken_at.astimezone(timezone(timedelta(minutes=row.taken_offset))),
        note=row.note,
        photo=to_photo(row.photo),
        analyses=tuple(to_analysis(analysis) for analysis in row.analyses),
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
    )
