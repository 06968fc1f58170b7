from __future__ import annotations

import base64
import hashlib
import io
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from filled_store import exported, imported
from PIL import Image

from drawn_lesions import ellipse, photograph
from lesionlens.errors import ExchangeFileError, RecordNotFoundError
from lesionlens.tracker import Tracker
from lesionlens.tracker.exchange import Imported
from lesionlens.tracker.exchange.skintracker_record import GRAPH_SHA256, GRAPH_TEXT
from lesionlens.tracker.ids import new_id

PROBABILITIES = [0.01, 0.9, 0.02, 0.01, 0.03, 0.01, 0.01, 0.01, 0.0]


def drawing(seed: int, file_format: str = "JPEG") -> bytes:
    """A drawn lesion as a picture file."""
    buffer = io.BytesIO()
    photograph(ellipse((96, 80), (48, 40), (20 + seed, 14)), seed).save(buffer, file_format)
    return buffer.getvalue()


def record(key: object, seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A record as the app keeps it."""
    image = f"data:image/jpeg;base64,{base64.b64encode(drawing(seed)).decode()}"
    return {
        "id": key,
        "image": image,
        "date": f"2024-0{seed + 1}-03T09:30:00.123Z",
        "prediction": 1,
        "maxConfidence": 0.9,
        "probabilities": PROBABILITIES,
        "gradcam": "iVBORw0KGgo=",
    } | changes


def storage(*moles: object, wrapped: bool = True) -> bytes:
    """The app's file."""
    state = {"moles": list(moles), "theme": "dark"}
    return json.dumps({"state": state, "version": 3} if wrapped else state).encode()


def mole(key: object = "m1", *records: object, x: object = 41.5, y: object = 12) -> dict[str, Any]:
    """A mole as the app keeps it."""
    return {"id": key, "location": {"x": x, "y": y}, "records": list(records)}


@pytest.mark.parametrize("wrapped", [True, False])
def test_moles_become_lesions_of_a_person(tracker: Tracker, wrapped: bool) -> None:
    done = imported(tracker, storage(mole("m1", record("a"), record("b", 1)), mole(1700000000000), wrapped=wrapped))
    assert done == Imported(people=1, lesions=2, visits=2, analyses=2, photos=2)
    [person] = tracker.people.list().items
    assert (person.label, person.note) == ("SkinTracker", "Imported from the SkinTracker app.")
    first, second = tracker.lesions.list(person.id, sort="last_visit_at").items
    assert (first.view, first.x, first.y, first.visit_count) == ("front", 0.415, 0.12, 2)
    assert first.created_at == datetime(2024, 1, 3, 9, 30, 0, 123000, UTC)
    assert second.visit_count == 0
    one, two = tracker.lesions.timeline(first.id).visits
    assert one.taken_at == one.created_at == datetime(2024, 1, 3, 9, 30, 0, 123000, UTC)
    assert tracker.visits.photo(two.id) == drawing(1)
    assert (two.photo.media_type, two.photo.width, two.photo.height) == ("image/jpeg", 96, 80)


def test_the_old_answers_are_kept_as_such(tracker: Tracker) -> None:
    imported(tracker, storage(mole("m1", record("a", prediction=8))))
    [visit] = tracker.visits.list().items
    [analysis] = visit.analyses
    assert (analysis.model, analysis.version, analysis.engine) == ("skintracker", "unknown", "unknown")
    assert analysis.graph_sha256 == GRAPH_SHA256 == hashlib.sha256(GRAPH_TEXT.encode()).hexdigest()
    assert analysis.prediction == 8
    assert analysis.probabilities == tuple(PROBABILITIES[:8])
    assert analysis.logits == tuple(math.log(p) for p in PROBABILITIES[:8])
    assert analysis.malignant_probability == pytest.approx(0.01 + 0.02 + 0.01 + 0.01)
    assert analysis.created_at == visit.taken_at
    nothing = (analysis.seen_box, analysis.prediction_set, analysis.suitability, analysis.quality, analysis.maps_shape)
    assert nothing == (None,) * 5


def test_importing_again_adds_only_what_is_new(tracker: Tracker) -> None:
    assert imported(tracker, storage(mole("m1", record("a")))).visits == 1
    [visit] = tracker.visits.list().items
    tracker.visits.update(visit.id, note="Looked at again.")  # what the app does not know may have been edited here
    tracker.lesions.update(visit.lesion_id, site="left arm")
    tracker.people.update(tracker.people.list().items[0].id, label="Ada")
    before = tracker.counts()
    assert imported(tracker, storage(mole("m1", record("a")))) == Imported(already_there=4)
    assert tracker.counts() == before
    later = storage(mole("m1", record("a"), record("b", 1)), mole("m2", record("a", 2)))
    assert imported(tracker, later) == Imported(lesions=1, visits=2, analyses=2, photos=2, already_there=4)
    assert imported(tracker, storage(mole("m1", record("b", 1)))) == Imported(already_there=4)  # the app trims the rest
    assert tracker.visits.get(visit.id).note == "Looked at again."


def test_what_was_moved_in_the_app_is_told(tracker: Tracker) -> None:
    imported(tracker, storage(mole("m1", record("a"))))
    done = imported(tracker, storage(mole("m1", record("a", 1), x=50)))
    assert [s.why for s in done.skipped] == [
        "it is here already and differs in x; it was left as it is",
        "the visit of this id shows another photo here; it was left as it is",
    ]


def test_what_was_deleted_here_is_told(tracker: Tracker) -> None:
    imported(tracker, storage(mole("m1", record("a"))))
    [person], [visit] = tracker.people.list().items, tracker.visits.list().items
    tracker.visits.delete(visit.id)
    tracker.people.delete(person.id)
    done = imported(tracker, storage(mole("m1", record("a"))))
    why = "it is here already, but deleted; undelete it to see it again"
    assert {s.what: s.why for s in done.skipped} == {f"person {person.id}": why, f"visit {visit.id}": why}
    assert done.already_there == 2  # the lesion, which is hidden with the person, and the analysis
    assert tracker.people.list().total == 0


def test_two_peoples_files_can_be_kept_apart(tracker: Tracker) -> None:
    ada, zoe = (tracker.people.create(name).id for name in ("Ada", "Zoë"))
    for person in (ada, zoe):
        assert imported(tracker, storage(mole("1", record("1"))), person).lesions == 1
        assert imported(tracker, storage(mole("1", record("1"))), person) == Imported(already_there=3)
    assert tracker.lesions.list(ada).total == tracker.lesions.list(zoe).total == 1
    with pytest.raises(RecordNotFoundError, match="no person"):
        imported(tracker, storage(mole("1", record("1"))), new_id())
    with pytest.raises(ExchangeFileError, match="names its own people"):
        imported(tracker, exported(tracker), ada)


def test_what_was_taken_over_can_be_exported(tracker: Tracker, other: Tracker) -> None:
    imported(tracker, storage(mole("m1", record("a"), record("b", 1))))
    data = exported(tracker)
    assert imported(other, data).skipped == []
    assert exported(other) == data


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"id": None}, "it has no id"),
        ({"id": ""}, "it has no id"),
        ({"id": True}, "it has no id"),
        ({"id": "\ud800"}, "it has no id"),
        ({"date": None}, "date is 'None'; accepted: an ISO 8601 date, or milliseconds"),
        ({"date": "yesterday"}, "date is 'yesterday'"),
        ({"date": True}, "date is 'True'"),
        ({"date": 1e30}, "date is '1e+30'"),
        ({"date": "0001-01-01T00:00:00+10:00"}, "date is '0001"),
        ({"date": "1750-01-01"}, "which is out of range"),
        ({"date": "2150-01-01"}, "taken_at is"),
        ({"image": None}, "image is no data URL"),
        ({"image": "blob:http://localhost/7"}, "image is no data URL"),
        ({"image": "data:text/html;base64,PGI+"}, "image is no data URL"),
        ({"image": "data:image/png;base64,***"}, "base64 is damaged"),
        ({"image": "data:image/png;base64,"}, "the file is empty"),
        ({"image": f"data:image/png;base64,{base64.b64encode(b'no picture at all').decode()}"}, "accepted: JPEG"),
        ({"image": f"data:image/jpeg;base64,{base64.b64encode(drawing(0)[:500]).decode()}"}, "is damaged"),
    ],
)
def test_a_record_that_cannot_be_used_is_told_and_the_rest_goes_on(
    tracker: Tracker, change: dict[str, Any], why: str
) -> None:
    done = imported(tracker, storage(mole("m1", record("a", **change), record("b", 1))))
    [skipped] = done.skipped
    assert why in skipped.why
    assert skipped.what.startswith("mole 'm1', record ")
    assert (done.lesions, done.visits) == (1, 1)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("no object", "it is no object"),
        (mole(None), "it has no id"),
        (mole("m", x=-0.1), "location.x is '-0.1'; accepted: a number of percents, 0–100"),
        (mole("m", y=100.5), "location.y is '100.5'"),
        (mole("m", x="41"), "location.x is '41'"),
        (mole("m", x=True), "location.x is 'True'"),
        ({"id": "m", "records": []}, "location.x is 'None'"),
        ({"id": "m", "location": {"x": 1, "y": 1}}, "it has no list of records"),
    ],
)
def test_a_mole_that_cannot_be_used_is_told_and_the_rest_goes_on(tracker: Tracker, given: object, why: str) -> None:
    done = imported(tracker, storage(given, mole("m2", record("a"))))
    [skipped] = done.skipped
    assert why in skipped.why
    assert (done.lesions, done.visits) == (1, 1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"prediction": None}, "prediction is 'None'; accepted: 0–8"),
        ({"prediction": 9}, "prediction is '9'"),
        ({"prediction": "1"}, "prediction is '1'"),
        ({"probabilities": None}, "probabilities are no list of 9 numbers"),
        ({"probabilities": [0.5, 0.5]}, "probabilities are no list of 9 numbers"),
        ({"probabilities": [1.5, *PROBABILITIES[1:]]}, "a probability is no number between 0 and 1"),
        ({"probabilities": ["1", *PROBABILITIES[1:]]}, "a probability is no number between 0 and 1"),
        ({"probabilities": [0.1] * 9}, "sum to 0.800"),
    ],
)
def test_an_answer_that_cannot_be_used_costs_no_photo(tracker: Tracker, change: dict[str, Any], why: str) -> None:
    done = imported(tracker, storage(mole("m1", record("a", **change))))
    [skipped] = done.skipped
    assert why in skipped.why
    assert skipped.why.endswith("the photo was taken over without it")
    assert (done.visits, done.analyses) == (1, 0)


def test_records_without_objects_and_with_the_same_id_are_told(tracker: Tracker) -> None:
    done = imported(tracker, storage(mole("m1", 5, record("a"), record("a", 1))))
    assert [(s.what, s.why) for s in done.skipped] == [
        ("mole 'm1', record 1", "it is no object"),
        ("mole 'm1', record 'a'", "another record of this mole has the same id"),
    ]
    assert done.visits == 1


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        (1704274200123, datetime(2024, 1, 3, 9, 30, 0, 123000, UTC)),
        ("2024-01-03", datetime(2024, 1, 3, tzinfo=UTC)),
        ("2024-01-03T09:30:00", datetime(2024, 1, 3, 9, 30, tzinfo=UTC)),
        ("2024-01-03T18:30:00+09:00", datetime(2024, 1, 3, 9, 30, tzinfo=UTC)),
    ],
)
def test_dates_as_browsers_write_them(tracker: Tracker, date: object, moment: datetime) -> None:
    imported(tracker, storage(mole("m1", record("a", date=date))))
    [visit] = tracker.visits.list().items
    assert visit.taken_at == moment
    assert visit.taken_at.utcoffset() == timedelta(hours=9 if "+09" in str(date) else 0)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_other_pictures_are_taken_as_they_are(tracker: Tracker, file_format: str) -> None:
    data = drawing(3, file_format)
    assert Image.open(io.BytesIO(data)).format == file_format
    url = f"data:image/{file_format.lower()};charset=utf-8;base64,{base64.b64encode(data).decode()}"
    imported(tracker, storage(mole("m1", record("a", image=url))))
    [visit] = tracker.visits.list().items
    assert tracker.visits.photo(visit.id) == data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither a ZIP nor JSON"),
        (b"hello", "neither a ZIP nor JSON"),
        (b'{"moles": [NaN]}', "NaN is no JSON"),
        (b"[" * 100_000, "neither a ZIP nor JSON"),
        (b"[]", "no storage of the SkinTracker app"),
        (b'{"state": {"theme": 1}}', "it has no list of moles"),
        (b'{"moles": {}}', "it has no list of moles"),
    ],
)
def test_what_is_no_storage_is_refused(tracker: Tracker, data: bytes, why: str) -> None:
    with pytest.raises(ExchangeFileError, match=why):
        imported(tracker, data)
    assert tracker.counts().people == 0


def test_a_file_that_is_too_large_is_not_read(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lesionlens.tracker.exchange.reading.JSON_LIMIT", 100)
    with pytest.raises(ExchangeFileError, match="at most 100"):
        imported(tracker, storage(mole("m1", record("a"))))
