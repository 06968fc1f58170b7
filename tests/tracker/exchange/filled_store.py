"""A store with something of everything in it, and ways to take an export apart."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from places import analysis, photo

from lesionlens.tracker import Tracker
from lesionlens.tracker.exchange import Imported, export, import_file

TOKYO = timezone(timedelta(hours=9))


def fill(tracker: Tracker) -> None:
    """Two people, one of them deleted; lesions and visits, some deleted; several analyses; a photo shown twice."""
    ada = tracker.people.create("Ada Łukasz-Ñandú", birth_year=1980, sex="female", skin_type=2, note="Burns\neasily ☀")
    back = tracker.lesions.create(
        ada.id, "back", 0.1 + 0.2, 1 / 3, site="left shoulder", reminder_months=3, colour="red"
    )
    for month, seed in ((1, 0), (4, 1), (9, 2)):
        visit = tracker.visits.add(
            back.id,
            photo(seed),
            taken_at=datetime(2024, month, 5, 23, 59, 59, 123456, tzinfo=TOKYO),
            note=f"visit <{month}> & more",
            analysis=analysis(malignant_probability=0.1 * month / 3, created_at=datetime(2024, month, 6, tzinfo=UTC)),
        )
        tracker.visits.add_analysis(
            visit.id,
            analysis(
                graph_sha256="b" * 64,
                model="other",
                version="2",
                suitability={"suitable": False, "score": 9.5, "reasons": [{"code": "x", "message": "Too far away."}]},
                quality=None,
                prediction_set=None,
                seen_box=None,
                maps=None,
                prediction=8,
                created_at=datetime(2025, month, 6, 1, 2, 3, 4, tzinfo=TOKYO),
            ),
        )
    tracker.visits.delete(tracker.visits.add(back.id, photo(3)).id)
    foot = tracker.lesions.create(ada.id, "left_foot", 0.0, 1.0)
    tracker.visits.add(foot.id, photo(0), taken_at=datetime(2023, 1, 1, tzinfo=UTC))
    gone = tracker.lesions.create(ada.id, "head", 1, 0.5, note="scar")
    tracker.visits.add(gone.id, photo(4), analysis=analysis(quality={"hints": []}))
    tracker.lesions.delete(gone.id)
    tracker.lesions.create(ada.id, "front", 0.5, 0.5)
    zoe = tracker.people.create("Zoë")
    tracker.visits.add(tracker.lesions.create(zoe.id, "front", 0.25, 0.75).id, photo(5), analysis=analysis())
    tracker.people.delete(zoe.id)


EVERYTHING = Imported(people=2, lesions=5, visits=7, analyses=8, photos=6)
"""What an import of that store adds to an empty one."""


def exported(tracker: Tracker, person_id: str | None = None) -> bytes:
    """The bytes of an export."""
    stream = io.BytesIO()
    export(tracker, stream, person_id)
    return stream.getvalue()


def imported(tracker: Tracker, data: bytes, person_id: str | None = None) -> Imported:
    """What importing those bytes adds."""
    return import_file(tracker, io.BytesIO(data), person_id)


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files of a ZIP by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP of files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def changed(files: dict[str, bytes], name: str, change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    """The files with one JSON file changed."""
    document = json.loads(files[name])
    change(document)
    return {**files, name: json.dumps(document).encode()}


def names(files: dict[str, bytes], kind: str) -> list[str]:
    """Names of the `person`, `lesion` or `visit` files."""
    return [n for n in files if n.endswith(f"/{kind}.json") or (kind == "visit" and "/visits/" in n)]
