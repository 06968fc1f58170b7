"""Damaged exports, and damaged storage of the SkinTracker app, for whatever imports them."""

from __future__ import annotations

import base64
import io
import json
import random
import re
import tempfile
import uuid
import zipfile
from functools import cache
from pathlib import Path
from typing import Any, Final

from fuzz.mutate import Case, damage
from fuzz.seeds import drawn_seeds
from fuzz.targets import Target, WrongAnswerError
from lesionlens.errors import InvalidRecordError, RecordNotFoundError
from lesionlens.imaging import Limits
from lesionlens.tracker import NewAnalysis, Tracker
from lesionlens.tracker.exchange import export, import_file

__all__ = ["TARGET"]

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT: Final = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")
_LIMITS: Final = Limits(max_bytes=1_000_000, max_pixels=1_000_000)
# Values that JSON can hold and that no field expects.
_ODD: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 2**63, 10**400, 1e308, -0.0, "", " ", "\0", "\ud800", "x" * 20_000, "../../x",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", [], {}, [[]], {"": {}}, [None] * 500,
)  # fmt: skip


@cache
def _export_files() -> dict[str, bytes]:
    """The files of a small export, with the same ids and times whenever it is made."""
    with tempfile.TemporaryDirectory() as folder, Tracker(Path(folder), limits=_LIMITS) as tracker:
        person = tracker.people.create("Ada", birth_year=1980, sex="female", skin_type=2, note="a note")
        lesion = tracker.lesions.create(person.id, "back", 0.5, 0.25, colour="red", reminder_months=3)
        tracker.visits.add(lesion.id, drawn_seeds()["jpeg"], analysis=_analysis())
        tracker.visits.add(lesion.id, drawn_seeds()["png"])
        stream = io.BytesIO()
        export(tracker, stream)
    with zipfile.ZipFile(stream) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if "report" not in name}
    known: dict[str, str] = {}

    def steady(text: str) -> str:
        text = _ID.sub(lambda found: known.setdefault(found[0], str(uuid.UUID(int=len(known) + 1))), text)
        return _MOMENT.sub("2026-03-01T09:15:02Z", text)

    return {
        steady(name): steady(data.decode()).encode() if name.endswith((".json", ".txt")) else data
        for name, data in sorted(files.items())
    }


def _analysis() -> NewAnalysis:
    return NewAnalysis(
        model="lite2",
        version="1.0",
        graph_sha256="a" * 64,
        engine="onnxruntime",
        prediction=1,
        probabilities=(0.1, 0.7, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01),
        logits=(-3.0, -2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0),
        malignant_probability=0.17,
        seen_box=(0.125, 0.0, 0.875, 1.0),
        prediction_set=(1, 0),
        suitability={"suitable": True, "score": 0.3, "reasons": []},
        quality={"sharpness": 0.25, "hints": []},
        maps=None,
    )


def _storage() -> Any:
    """What the SkinTracker app keeps, in the form in which its users save it."""
    image = f"data:image/jpeg;base64,{base64.b64encode(drawn_seeds()['jpeg']).decode()}"
    record = {"id": 1, "image": image, "date": "2024-01-03T09:30:00.123Z", "prediction": 1, "maxConfidence": 0.9}
    mole = {"id": 1, "x": 50, "y": 25, "view": "front", "records": [{**record, "probabilities": [0.1] * 9}]}
    return {"moles": [mole]}


def _make(number: int) -> Case:
    rng = random.Random(f"archive {number}")
    if rng.random() < 0.2:
        text = json.dumps(_odd(rng, _storage())).encode()
        return _damaged(rng, number, "storage", text)
    files = dict(_export_files())
    name = rng.choice(sorted(files))
    how = "member"
    if name.endswith(".json") and rng.random() < 0.8:
        files[name] = json.dumps(_odd(rng, json.loads(files[name]))).encode()
        how = "value"
    else:
        files[name], _ = damage(rng, files[name], drawn_seeds()["png"])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for each, content in files.items():
            archive.writestr(zipfile.ZipInfo(each), content)
    if rng.random() < 0.7:
        return Case(number, f"export: {how} of {name}", stream.getvalue())
    return _damaged(rng, number, f"export, {how} of {name}", stream.getvalue())


def _damaged(rng: random.Random, number: int, name: str, data: bytes) -> Case:
    if rng.random() < 0.5:
        return Case(number, name, data)
    changed, how = damage(rng, data, data)
    return Case(number, f"{name}: {', '.join(how)}", changed)


def _odd(rng: random.Random, value: Any) -> Any:
    """Return a JSON value in which one value, somewhere, is another."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {key: kept for key, kept in value.items() if key != name}
        return {**value, name: _odd(rng, value[name])}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        return [*value[:at], _odd(rng, value[at]), *value[at + 1 :]]
    return rng.choice(_ODD)


@cache
def _tracker() -> Tracker:
    """The store of this process, beside the folder in which nothing may be left."""
    return Tracker(Path.cwd().parent / "records", limits=_LIMITS)


def _read(case: Case) -> str:
    """Import a file; returns `imported`, `in part` or `refused`."""
    tracker = _tracker()
    try:
        done = import_file(tracker, io.BytesIO(case.data))
    except (InvalidRecordError, RecordNotFoundError):
        counts = tracker.counts()
        if counts.people or counts.photos or list(tracker.photos.files()):
            raise WrongAnswerError("something of a refused file is in the store") from None
        return "refused"
    for person in tracker.people.list(deleted="with", limit=500).items:
        if person.deleted_at is None:
            tracker.people.delete(person.id)
        tracker.people.erase_deleted(person.id)
    if list(tracker.photos.files()):
        raise WrongAnswerError("photos are left without a record")
    return "in part" if done.skipped else "imported"


TARGET: Final = Target(_make, _read, lambda: [_read(_make(number)) for number in range(5)])
"""The import, to be fuzzed."""
