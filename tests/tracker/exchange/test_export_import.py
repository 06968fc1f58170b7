from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pytest
from filled_store import EVERYTHING, changed, exported, imported, names, packed, unpacked
from places import analysis, photo

from lesionlens import DISCLAIMER
from lesionlens.errors import RecordNotFoundError
from lesionlens.tracker import Tracker
from lesionlens.tracker.exchange import Exported, Imported, export, import_file
from lesionlens.tracker.ids import new_id


def test_export_import_export_gives_the_same_bytes(filled: Tracker, other: Tracker) -> None:
    first = exported(filled)
    assert imported(other, first) == EVERYTHING
    assert exported(other) == first
    assert exported(filled) == first
    assert other.counts() == filled.counts()


def test_what_was_imported_is_what_was_exported(filled: Tracker, other: Tracker) -> None:
    imported(other, exported(filled))
    for repository in ("people", "lesions", "visits"):
        ours, theirs = (getattr(t, repository).list(deleted="with", limit=500) for t in (filled, other))
        assert theirs == ours
    [ada] = other.people.list().items
    assert [person.label for person in other.people.list(deleted="only").items] == ["Zoë"]
    assert other.people.get(ada.id).note == "Burns\neasily ☀"
    visits = [visit for visit in filled.visits.list(deleted="with").items if visit.analyses]
    assert len(visits) == 5
    for visit in visits:
        assert other.visits.photo(visit.id) == filled.visits.photo(visit.id)
        assert visit.taken_at.utcoffset() == other.visits.get(visit.id, deleted=True).taken_at.utcoffset()
        for one in visit.analyses:
            ours, theirs = filled.visits.maps(one.id), other.visits.maps(one.id)
            assert (ours is None) == (theirs is None)
            assert ours is None or np.array_equal(ours, theirs)


def test_a_second_import_adds_nothing(filled: Tracker, other: Tracker) -> None:
    data = exported(filled)
    imported(other, data)
    before = other.counts()
    assert imported(other, data) == Imported(already_there=22)
    assert other.counts() == before


def test_the_zip_is_plain_private_and_timeless(filled: Tracker) -> None:
    with zipfile.ZipFile(io.BytesIO(exported(filled))) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {stat.S_IMODE(entry.external_attr >> 16) for entry in entries} == {0o600}
    files = unpacked(exported(filled))
    index = json.loads(files["export.json"])
    assert (index["format"], index["schema_version"], index["disclaimer"]) == ("lesionlens-export", 1, DISCLAIMER)
    assert index["counts"] == {"people": 2, "lesions": 5, "visits": 7, "analyses": 8, "photos": 6}
    assert DISCLAIMER in files["README.txt"].decode()
    photos = [name for name in files if name.startswith("photos/")]
    assert [f"photos/{hashlib.sha256(files[name]).hexdigest()}.jpg" for name in photos] == photos
    # The deleted person has records and no report.
    assert len([name for name in files if name.endswith(("report.html", "report.pdf"))]) == 2


def test_one_person_can_be_exported_alone(filled: Tracker, other: Tracker) -> None:
    [ada] = filled.people.list().items
    data = exported(filled, ada.id)
    assert imported(other, data) == Imported(people=1, lesions=4, visits=6, analyses=7, photos=5)
    assert exported(other) == data
    for nobody in (new_id(), "nul\0", "ADA"):
        with pytest.raises(RecordNotFoundError, match="no person"):
            exported(filled, nobody)


def test_an_empty_store_has_an_export(tracker: Tracker, other: Tracker) -> None:
    data = exported(tracker)
    assert sorted(unpacked(data)) == ["README.txt", "export.json"]
    assert imported(other, data) == Imported()


def test_a_zip_that_another_program_packed_again_is_as_good(filled: Tracker, other: Tracker) -> None:
    data = exported(filled)
    shuffled = dict(reversed(unpacked(data).items())) | {"__MACOSX/._photos": b"x"}
    with_folder = packed(shuffled | {"photos/": b""}, zipfile.ZIP_DEFLATED)
    done = imported(other, with_folder)
    assert [(s.what, s.why) for s in done.skipped] == [("file '__MACOSX/._photos'", "it is no part of an export")]
    assert exported(other) == data


def test_what_differs_here_is_kept_and_told(filled: Tracker, other: Tracker) -> None:
    data = exported(filled)
    imported(other, data)
    [ada] = other.people.list().items
    visit = other.visits.list().items[0]
    lesion = other.lesions.list(ada.id).items[0]
    other.people.update(ada.id, label="Ada B.")
    other.visits.update(visit.id, note="another note")
    other.lesions.update(lesion.id, x=0.9)
    done = imported(other, data)
    told = {skipped.what: skipped.why for skipped in done.skipped}
    assert told == {
        f"person {ada.id}": "it is here already and differs in updated_at, label; it was left as it is",
        f"lesion {lesion.id}": "it is here already and differs in updated_at, x; it was left as it is",
        f"visit {visit.id}": "it is here already and differs in updated_at, note; it was left as it is",
    }
    assert (other.people.get(ada.id).label, other.visits.get(visit.id).note) == ("Ada B.", "another note")
    assert other.lesions.get(lesion.id).x == 0.9
    assert done.already_there == 19


def test_a_later_export_brings_what_is_new(filled: Tracker, other: Tracker) -> None:
    imported(other, exported(filled))
    visit = filled.visits.list().items[0]
    filled.visits.add_analysis(visit.id, analysis(graph_sha256="c" * 64))
    new = filled.visits.add(visit.lesion_id, photo(6), taken_at=datetime(2024, 12, 1, tzinfo=UTC))
    data = exported(filled)
    assert imported(other, data) == Imported(visits=1, analyses=1, photos=1, already_there=22)
    assert other.visits.get(new.id) == new
    assert exported(other) == data


def test_an_analysis_that_says_something_else_is_kept_and_told(filled: Tracker, other: Tracker) -> None:
    files = unpacked(exported(filled))
    imported(other, packed(files))
    [name] = [n for n in names(files, "visit") if b'"visit <4> & more"' in files[n]]
    forged = changed(files, name, lambda visit: visit["analyses"][0].update(malignant_probability=0.0))
    [skipped] = imported(other, packed(forged)).skipped
    assert "says something else; it was left as it is" in skipped.why
    # The same id under another visit is no better.
    forged = changed(
        files, name, lambda v: v["analyses"].append(json.loads(files[names(files, "visit")[0]])["analyses"][0])
    )
    assert len(imported(other, packed(forged)).skipped) == 1
    assert exported(other) == exported(filled)


def test_a_photo_that_the_store_lost_is_told_and_the_rest_exported(filled: Tracker, other: Tracker) -> None:
    [visit] = [v for v in filled.visits.list().items if v.note == "visit <9> & more"]
    lost = visit.photo.sha256
    filled.photos.remove(lost)
    stream = io.BytesIO()
    done = export(filled, stream)
    assert done == Exported(people=2, lesions=5, visits=7, analyses=8, photos=5, missing_photos=[lost])
    files = unpacked(stream.getvalue())
    assert json.loads(files["export.json"])["missing_photos"] == [lost]
    assert "The photo is lost or damaged." in next(v for n, v in files.items() if n.endswith("report.html")).decode()
    done = imported(other, stream.getvalue())
    assert [(s.what, s.why) for s in done.skipped] == [(f"visit {visit.id}", f"its photo {lost} is not in the file")]
    assert (done.visits, done.photos) == (6, 5)


def test_an_interrupted_import_is_finished_by_another(filled: Tracker, other: Tracker) -> None:
    data = exported(filled)

    def give_up(done: int, total: int) -> None:
        assert total == 7
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(other, io.BytesIO(data), progress=give_up)
    assert other.counts().visits == 3
    done = imported(other, data)
    assert (done.visits, done.skipped) == (4, [])
    assert exported(other) == data


def test_several_imports_at_once_add_everything_once(filled: Tracker, other: Tracker) -> None:
    data = exported(filled)
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: imported(other, data), range(3)))
    assert [d.skipped for d in done] == [[], [], []]
    assert sum(d.visits for d in done) == 7
    assert sum(d.analyses for d in done) == 8
    assert sum(d.photos for d in done) == 6
    assert exported(other) == data


def test_progress_counts_visits_and_photos(filled: Tracker) -> None:
    steps: list[tuple[int, int]] = []
    export(filled, io.BytesIO(), progress=lambda done, total: steps.append((done, total)))
    assert steps == [(i, 13) for i in range(1, 14)]


def test_stores_of_the_two_kinds_give_the_same_export(
    filled: Tracker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = exported(filled)
    with Tracker(tmp_path_factory.mktemp("sqlite")) as sqlite:
        imported(sqlite, data)
        assert exported(sqlite) == data


def test_a_real_photo_and_its_analysis_survive(tracker: Tracker, other: Tracker, real_sample: dict[str, bytes]) -> None:
    from lesionlens import Classifier
    from lesionlens.imaging import decode
    from lesionlens.tracker import NewAnalysis

    classifier = Classifier(engine="onnxruntime", threads=1)
    lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.25)
    data = next(iter(real_sample.values()))
    [answer] = classifier.analyse([decode(data).image])
    visit = tracker.visits.add(lesion.id, data, analysis=NewAnalysis.of(classifier, answer))
    imported(other, exported(tracker))
    assert other.visits.get(visit.id) == visit
    assert other.visits.photo(visit.id) == data
    assert visit.latest is not None
    assert np.array_equal(other.visits.maps(visit.latest.id), answer.maps)
