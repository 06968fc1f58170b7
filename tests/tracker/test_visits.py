from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from PIL import Image
from places import Place, analysis, photo

from lesionlens.errors import (
    ImageError,
    ImageTooLargeError,
    InvalidRecordError,
    RecordConflictError,
    RecordNotFoundError,
)
from lesionlens.imaging import Limits
from lesionlens.tracker import Erased, Lesion, NewAnalysis, Tracker
from lesionlens.tracker.ids import new_id


def test_a_visit_keeps_its_photo_byte_for_byte(tracker: Tracker, lesion: Lesion, place: Place) -> None:
    taken_at = datetime(2024, 5, 1, 23, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    made = tracker.visits.add(lesion.id, photo(3), taken_at=taken_at, note="first")
    assert (made.lesion_id, made.note, made.analyses, made.latest) == (lesion.id, "first", (), None)
    assert made.taken_at == taken_at
    assert made.taken_at.isoformat() == "2024-05-01T23:30:15.123456+05:45"
    assert made.photo.sha256 == hashlib.sha256(photo(3)).hexdigest()
    assert (made.photo.media_type, made.photo.width, made.photo.height) == ("image/jpeg", 80, 64)
    assert made.photo.byte_size == len(photo(3))
    with Tracker(place.data_dir, place.url) as other:
        assert other.visits.get(made.id) == made
        assert other.visits.photo(made.id) == photo(3)
    assert tracker.lesions.get(lesion.id).last_visit_at == taken_at
    assert tracker.lesions.get(lesion.id).visit_count == 1


def test_a_turned_phone_photo_is_described_upright_and_kept_as_it_is(tracker: Tracker, lesion: Lesion) -> None:
    buffer = io.BytesIO()
    picture = Image.new("RGB", (40, 20), "tan")
    picture.getexif()[0x0112] = 6
    picture.save(buffer, "PNG", exif=picture.getexif())
    made = tracker.visits.add(lesion.id, buffer.getvalue())
    assert (made.photo.media_type, made.photo.width, made.photo.height) == ("image/png", 20, 40)
    assert tracker.visits.photo(made.id) == buffer.getvalue()


@pytest.mark.parametrize("data", [b"", b"no picture", photo()[: len(photo()) // 2]])
def test_what_is_no_picture_leaves_nothing_behind(tracker: Tracker, lesion: Lesion, data: bytes) -> None:
    with pytest.raises(ImageError):
        tracker.visits.add(lesion.id, data)
    assert tracker.counts().visits == 0
    assert list(tracker.photos.files()) == list(tracker.photos.temporary_files()) == []


def test_the_largest_accepted_photo_is_the_openers_choice(place: Place) -> None:
    with Tracker(place.data_dir, place.url, limits=Limits(max_bytes=len(photo()) - 1)) as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        with pytest.raises(ImageTooLargeError):
            tracker.visits.add(lesion.id, photo())


def test_a_visit_of_nothing_leaves_no_photo_behind(tracker: Tracker, lesion: Lesion) -> None:
    with pytest.raises(RecordNotFoundError, match="no lesion"):
        tracker.visits.add(new_id(), photo())
    with pytest.raises(InvalidRecordError, match="taken_at"):
        tracker.visits.add(lesion.id, photo(), taken_at=datetime(2024, 1, 1))
    assert list(tracker.photos.files()) == []


def test_every_analysis_is_kept_exactly(tracker: Tracker, lesion: Lesion) -> None:
    first, second = analysis(), analysis(graph_sha256="b" * 64, version="2.0", maps=None, prediction_set=None)
    visit = tracker.visits.add(lesion.id, photo(), analysis=first)
    added = tracker.visits.add_analysis(visit.id, second)
    stored = tracker.visits.get(visit.id)
    assert stored.latest == added
    assert [a.version for a in stored.analyses] == ["1.0", "2.0"]
    for kept, given in zip(stored.analyses, (first, second), strict=True):
        for name in NewAnalysis.model_fields.keys() - {"maps", "created_at"}:
            assert getattr(kept, name) == getattr(given, name), name
    maps = tracker.visits.maps(stored.analyses[0].id)
    assert first.maps is not None
    assert maps is not None
    assert maps.dtype == np.float32
    assert np.array_equal(maps, first.maps)
    assert stored.analyses[0].maps_shape == maps.shape
    assert stored.analyses[1].maps_shape is None
    assert tracker.visits.maps(stored.analyses[1].id) is None
    for nothing in (new_id(), "nul\0"):
        with pytest.raises(RecordNotFoundError, match="no analysis"):
            tracker.visits.maps(nothing)
        with pytest.raises(RecordNotFoundError, match="no visit"):
            tracker.visits.add_analysis(nothing, first)


def test_visits_that_a_model_has_not_seen_can_be_found(tracker: Tracker, lesion: Lesion) -> None:
    old = tracker.visits.add(lesion.id, photo(0), analysis=analysis())
    none = tracker.visits.add(lesion.id, photo(1))
    wanted = tracker.visits.list(not_analysed_by="b" * 64, sort="created_at", descending=False)
    assert [v.id for v in wanted.items] == [old.id, none.id]
    tracker.visits.add_analysis(old.id, analysis(graph_sha256="b" * 64))
    assert [v.id for v in tracker.visits.list(not_analysed_by="b" * 64).items] == [none.id]
    with pytest.raises(InvalidRecordError, match="not_analysed_by is 'lite2'; accepted: the SHA-256"):
        tracker.visits.list(not_analysed_by="lite2")


def test_a_timeline_goes_by_when_photos_were_taken(tracker: Tracker, lesion: Lesion) -> None:
    days = [datetime(2024, m, 1, tzinfo=UTC) for m in (3, 1, 2, 4)]
    march, january, february, april = (
        tracker.visits.add(lesion.id, photo(i), taken_at=day) for i, day in enumerate(days)
    )
    tracker.visits.delete(april.id)
    timeline = tracker.lesions.timeline(lesion.id)
    assert timeline.visits == (january, february, march)
    assert timeline.lesion.visit_count == 3
    assert timeline.lesion.last_visit_at == march.taken_at
    page = tracker.visits.list(lesion.id, offset=1, limit=1)
    assert (page.items, page.total) == ((february,), 3)
    assert tracker.visits.list(person_id=lesion.person_id).total == 3
    assert tracker.visits.list(new_id()).total == tracker.visits.list(person_id=new_id()).total == 0


def test_day_and_note_can_be_corrected(tracker: Tracker, lesion: Lesion) -> None:
    tokyo = timezone(timedelta(hours=9))
    visit = tracker.visits.add(lesion.id, photo(), taken_at=datetime(2024, 1, 1, 1, tzinfo=tokyo), analysis=analysis())
    noted = tracker.visits.update(visit.id, note="bleeds")
    assert (noted.note, noted.taken_at.isoformat()) == ("bleeds", "2024-01-01T01:00:00+09:00")
    moved = tracker.visits.update(visit.id, taken_at=datetime(2023, 1, 1, tzinfo=UTC))
    assert (moved.note, moved.taken_at.isoformat()) == ("bleeds", "2023-01-01T00:00:00+00:00")
    assert moved.analyses == visit.analyses
    assert tracker.visits.get(visit.id) == moved
    with pytest.raises(InvalidRecordError, match="no field 'photo'"):
        tracker.visits.update(visit.id, photo=b"")  # type: ignore[call-arg]


def test_a_visit_can_be_given_to_the_right_lesion(tracker: Tracker, lesion: Lesion) -> None:
    other = tracker.lesions.create(lesion.person_id, "head", 0.5, 0.5)
    visit = tracker.visits.add(lesion.id, photo(), analysis=analysis())
    assert tracker.visits.move(visit.id, other.id).lesion_id == other.id
    assert tracker.lesions.get(lesion.id).visit_count == 0
    assert [v.id for v in tracker.lesions.timeline(other.id).visits] == [visit.id]
    with pytest.raises(RecordNotFoundError, match="no lesion"):
        tracker.visits.move(visit.id, new_id())


def test_deleted_visits_keep_their_photo(tracker: Tracker, lesion: Lesion) -> None:
    visit = tracker.visits.add(lesion.id, photo())
    tracker.visits.delete(visit.id)
    assert tracker.lesions.get(lesion.id).visit_count == 0
    assert tracker.visits.photo(visit.id) == photo()
    tracker.lesions.delete(lesion.id)
    with pytest.raises(RecordConflictError):
        tracker.visits.undelete(visit.id)
    tracker.lesions.undelete(lesion.id)
    assert tracker.visits.undelete(visit.id) == visit


def test_a_photo_goes_with_the_last_visit_that_shows_it(tracker: Tracker, lesion: Lesion) -> None:
    one, two = (tracker.visits.add(lesion.id, photo(), analysis=analysis()) for _ in range(2))
    assert (tracker.counts().visits, tracker.counts().photos) == (2, 1)
    tracker.visits.delete(two.id)
    assert tracker.visits.erase(one.id) == Erased(visits=1, analyses=1)
    assert tracker.visits.photo(two.id) == photo()
    assert tracker.visits.erase(two.id) == Erased(visits=1, analyses=1, photos=1)
    assert list(tracker.photos.files()) == []
    assert tracker.counts().photos == tracker.counts().photo_bytes == 0
    with pytest.raises(RecordNotFoundError, match="no visit"):
        tracker.visits.get(one.id, deleted=True)
    again = tracker.visits.add(lesion.id, photo())
    assert tracker.visits.photo(again.id) == photo()


def test_erasing_a_person_takes_all_that_is_theirs_and_nothing_else(tracker: Tracker, lesion: Lesion) -> None:
    zoe = tracker.lesions.create(tracker.people.create("Zoe").id, "back", 0.5, 0.5)
    shared = tracker.visits.add(zoe.id, photo(0))
    for seed in (0, 1):
        tracker.visits.add(lesion.id, photo(seed), analysis=analysis())
    assert tracker.people.erase(lesion.person_id) == Erased(people=1, lesions=1, visits=2, analyses=2, photos=1)
    assert tracker.visits.list(deleted="with").items == (shared,)
    assert list(tracker.photos.hashes()) == [shared.photo.sha256]
    counts = tracker.counts()
    assert (counts.people, counts.lesions, counts.visits, counts.analyses, counts.photos) == (1, 1, 1, 0, 1)
    assert tracker.lesions.erase(zoe.id) == Erased(lesions=1, visits=1, photos=1)


def test_purging_erases_only_what_was_deleted_long_ago(tracker: Tracker, lesion: Lesion) -> None:
    kept = tracker.visits.add(lesion.id, photo(0))
    gone = tracker.visits.add(lesion.id, photo(1))
    other = tracker.lesions.create(lesion.person_id, "head", 0.5, 0.5)
    tracker.visits.add(other.id, photo(2))
    tracker.visits.delete(gone.id)
    tracker.lesions.delete(other.id)
    assert tracker.counts().deleted == 2
    assert tracker.purge(timedelta(days=30)) == Erased()
    later = datetime.now(UTC) + timedelta(days=31)
    assert tracker.purge(timedelta(days=30), now=later) == Erased(lesions=1, visits=2, photos=2)
    assert tracker.visits.list(deleted="with").items == (kept,)
    assert tracker.lesions.list(deleted="with").total == 1
    tracker.people.delete(lesion.person_id)
    assert tracker.purge(timedelta(0)) == Erased(people=1, lesions=1, visits=1, photos=1)
    with pytest.raises(InvalidRecordError, match="older_than"):
        tracker.purge(timedelta(days=-1))


def test_what_is_undeleted_in_time_is_not_purged(tracker: Tracker, lesion: Lesion) -> None:
    tracker.lesions.delete(lesion.id)
    tracker.lesions.undelete(lesion.id)
    later = datetime.now(UTC) + timedelta(days=1)
    assert tracker.lesions.erase_if_deleted(lesion.id, later) == Erased()
    assert tracker.lesions.get(lesion.id) == lesion


def test_threads_that_add_and_erase_the_same_photos_lose_none(tracker: Tracker, lesion: Lesion) -> None:
    def work(thread: int) -> list[str]:
        kept = []
        for i in range(6):
            visit = tracker.visits.add(lesion.id, photo(i % 2), analysis=analysis())
            if (thread + i) % 2:
                tracker.visits.erase(visit.id)
            else:
                kept.append(visit.id)
        return kept

    with ThreadPoolExecutor(4) as pool:
        kept = {visit for visits in pool.map(work, range(4)) for visit in visits}
    listed = tracker.visits.list(limit=500)
    assert {v.id for v in listed.items} == kept
    assert len(kept) == 12
    for visit in listed.items:
        assert hashlib.sha256(tracker.visits.photo(visit.id)).hexdigest() == visit.photo.sha256
    assert set(tracker.photos.hashes()) == {v.photo.sha256 for v in listed.items}


def test_a_classifiers_answer_to_a_real_photo_is_kept_exactly(
    tracker: Tracker, lesion: Lesion, real_sample: dict[str, bytes]
) -> None:
    from lesionlens import Classifier
    from lesionlens.imaging import decode

    classifier = Classifier(engine="onnxruntime", threads=1)
    data = next(iter(real_sample.values()))
    [answer] = classifier.analyse([decode(data).image])
    visit = tracker.visits.add(lesion.id, data, analysis=NewAnalysis.of(classifier, answer))
    kept = tracker.visits.get(visit.id).latest
    assert kept is not None
    assert kept.probabilities == tuple(map(float, answer.probabilities))
    assert kept.logits == tuple(map(float, answer.logits))
    assert (kept.prediction, kept.prediction_set) == (answer.prediction, answer.prediction_set)
    assert (kept.seen_box, kept.malignant_probability) == (answer.seen_box, answer.malignant_probability)
    assert (kept.model, kept.graph_sha256) == (classifier.manifest.name, classifier.manifest.graph_sha256)
    maps = tracker.visits.maps(kept.id)
    assert maps is not None
    assert np.array_equal(maps, answer.maps)
