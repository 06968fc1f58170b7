"""Records under ids that whoever asks has made, erasing only what is deleted, and what was last said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from places import Place, analysis, photo
from sqlalchemy import event, update

from lesionlens.errors import InvalidRecordError, RecordConflictError, RecordNotFoundError
from lesionlens.tracker import Erased, Lesion, LesionFields, PersonFields, Tracker
from lesionlens.tracker.database.models import PersonRow
from lesionlens.tracker.ids import new_id


def test_what_is_asked_for_twice_is_recorded_once(tracker: Tracker, lesion: Lesion) -> None:
    person_id, lesion_id, visit_id = new_id(), new_id(), new_id()
    place = LesionFields(view="head", x=0.1, y=0.2)
    for new in (True, False):
        person = tracker.people.create_once(person_id, PersonFields(label="Bo"))
        spot = tracker.lesions.create_once(lesion_id, lesion.person_id, place)
        visit = tracker.visits.add_once(visit_id, lesion.id, photo(), note="once", analysis=analysis())
        assert person.new is spot.new is visit.new is new
        assert (person.record.id, spot.record.id, visit.record.id) == (person_id, lesion_id, visit_id)
        assert len(visit.record.analyses) == 1
    counts = tracker.counts()
    assert (counts.people, counts.lesions, counts.visits, counts.analyses) == (2, 2, 1, 1)


def test_time_and_note_of_a_visit_may_have_been_corrected_since(tracker: Tracker, lesion: Lesion) -> None:
    visit_id = new_id()
    tracker.visits.add_once(visit_id, lesion.id, photo(), note="wrong")
    corrected = tracker.visits.update(visit_id, note="right", taken_at=datetime(2024, 1, 1, tzinfo=UTC))
    assert tracker.visits.add_once(visit_id, lesion.id, photo(), note="wrong").record == corrected


def test_other_content_under_the_same_id_is_refused(tracker: Tracker, lesion: Lesion) -> None:
    person = tracker.people.create("Bo")
    visit = tracker.visits.add(lesion.id, photo(0))
    place = LesionFields(view="back", x=0.5, y=0.25)
    other = tracker.lesions.create(person.id, "back", 0.5, 0.25)
    with pytest.raises(RecordConflictError, match="another person"):
        tracker.people.create_once(person.id, PersonFields(label="Bo", skin_type=1))
    with pytest.raises(RecordConflictError, match="another lesion"):
        tracker.lesions.create_once(lesion.id, person.id, place)
    for lesion_id, data in ((lesion.id, photo(1)), (other.id, photo(0))):
        with pytest.raises(RecordConflictError, match="another visit"):
            tracker.visits.add_once(visit.id, lesion_id, data)
    assert list(tracker.photos.hashes()) == [visit.photo.sha256]
    with pytest.raises(RecordNotFoundError, match="no person"):
        tracker.lesions.create_once(lesion.id, new_id(), place)
    for wrong in ("1", new_id().upper(), ""):
        with pytest.raises(InvalidRecordError, match="id is"):
            tracker.people.create_once(wrong, PersonFields(label="Bo"))


def test_what_was_deleted_is_not_recorded_again(tracker: Tracker, lesion: Lesion) -> None:
    visit = tracker.visits.add(lesion.id, photo())
    tracker.visits.delete(visit.id)
    with pytest.raises(RecordConflictError, match="deleted; undelete it"):
        tracker.visits.add_once(visit.id, lesion.id, photo())
    tracker.people.delete(lesion.person_id)
    with pytest.raises(RecordConflictError, match="deleted; undelete it"):
        tracker.people.create_once(lesion.person_id, PersonFields(label="Ada"))


def test_of_many_who_ask_at_once_one_records(tracker: Tracker, lesion: Lesion, place: Place) -> None:
    person_id, visit_id = new_id(), new_id()
    with Tracker(place.data_dir, place.url) as other, ThreadPoolExecutor(6) as pool:
        stores = [tracker, other] * 3
        people = list(pool.map(lambda s: s.people.create_once(person_id, PersonFields(label="Bo")), stores))
        visits = list(pool.map(lambda s: s.visits.add_once(visit_id, lesion.id, photo()), stores))
        answers = list(pool.map(lambda s: s.visits.add_analysis_once(visit_id, analysis()), stores))
    for made in (people, visits, answers):
        assert sorted(creation.new for creation in made) == [False] * 5 + [True]
        assert len({creation.record.id for creation in made}) == 1


def test_a_graph_is_heard_once(tracker: Tracker, lesion: Lesion) -> None:
    visit = tracker.visits.add(lesion.id, photo(), analysis=analysis())
    again = tracker.visits.add_analysis_once(visit.id, analysis(malignant_probability=0.9))
    assert (again.new, again.record) == (False, visit.analyses[0])
    other = tracker.visits.add_analysis_once(visit.id, analysis(graph_sha256="b" * 64))
    assert other.new
    assert tracker.visits.analysis(other.record.id) == other.record
    assert tracker.visits.get(visit.id).analyses == (visit.analyses[0], other.record)
    with pytest.raises(RecordNotFoundError, match="no visit"):
        tracker.visits.add_analysis_once(new_id(), analysis())
    with pytest.raises(RecordNotFoundError, match="no analysis"):
        tracker.visits.analysis(new_id())


def test_only_what_is_deleted_is_erased_by_those_who_ask_carefully(tracker: Tracker, lesion: Lesion) -> None:
    visit = tracker.visits.add(lesion.id, photo(), analysis=analysis())
    for repository, record_id in ((tracker.visits, visit.id), (tracker.people, lesion.person_id)):
        with pytest.raises(RecordConflictError, match="is not deleted; delete it first"):
            repository.erase_deleted(record_id)  # type: ignore[attr-defined]
    tracker.people.delete(lesion.person_id)
    with pytest.raises(RecordConflictError, match="is not deleted"):  # it is hidden, but not deleted itself
        tracker.visits.erase_deleted(visit.id)
    assert tracker.people.erase_deleted(lesion.person_id) == Erased(people=1, lesions=1, visits=1, analyses=1, photos=1)
    clock = tracker.people.create("Deleted by a machine whose clock is ahead")
    tracker.people.delete(clock.id)
    with tracker.store.database.write() as session:
        later = datetime.now(UTC) + timedelta(days=1)
        session.execute(update(PersonRow).where(PersonRow.id == clock.id).values(deleted_at=later))
    assert tracker.people.erase_deleted(clock.id) == Erased(people=1)
    for nobody in (lesion.person_id, "no id"):
        with pytest.raises(RecordNotFoundError, match="no person"):
            tracker.people.erase_deleted(nobody)


def test_what_was_last_said_takes_one_query(tracker: Tracker, lesion: Lesion) -> None:
    days = [datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3)]
    others = [tracker.lesions.create(lesion.person_id, "head", 0.1 * i, 0.5) for i in range(3)]
    for spot in others:
        tracker.visits.add(spot.id, photo(0), taken_at=days[1], analysis=analysis(malignant_probability=0.5))
        tracker.visits.add(spot.id, photo(1), taken_at=days[0], analysis=analysis(malignant_probability=0.1))
        tracker.visits.add(spot.id, photo(2), taken_at=days[2])
    newer = tracker.visits.add_analysis(
        tracker.visits.list(others[0].id, sort="taken_at").items[1].id,
        analysis(graph_sha256="b" * 64, malignant_probability=0.7),
    )
    statements: list[str] = []
    engine = tracker.store.database.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    ids = [lesion.id, *(spot.id for spot in others), new_id()]
    latest = tracker.lesions.latest(ids)
    assert sum("SELECT" in statement for statement in statements) == 1
    assert set(latest) == {spot.id for spot in others}
    assert latest[others[0].id].analysis == newer
    assert latest[others[1].id].analysis.malignant_probability == 0.5
    assert latest[others[1].id].taken_at == days[1]
    assert tracker.lesions.latest([]) == {}


def test_a_change_may_not_smuggle_in_other_names(tracker: Tracker, lesion: Lesion) -> None:
    for name in ("self", "lesion_id", "person_id"):
        with pytest.raises(InvalidRecordError, match=f"no field '{name}'"):
            tracker.lesions.update(lesion.id, **{name: "x"})  # type: ignore[misc]
