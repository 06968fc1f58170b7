from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from places import photo

from lesionlens.errors import InvalidRecordError, RecordConflictError, RecordNotFoundError
from lesionlens.tracker import Lesion, Tracker
from lesionlens.tracker.ids import new_id


def test_a_lesion_comes_back_as_recorded(tracker: Tracker) -> None:
    person = tracker.people.create("Ada")
    made = tracker.lesions.create(
        person.id, "left_foot", 1 / 3, 0.1 + 0.2, site="Sole", note="itches", colour="red", reminder_months=3
    )
    assert (made.person_id, made.view, made.x, made.y) == (person.id, "left_foot", 1 / 3, 0.1 + 0.2)
    assert (made.site, made.note, made.colour, made.reminder_months) == ("Sole", "itches", "red", 3)
    assert (made.visit_count, made.last_visit_at) == (0, None)
    assert tracker.lesions.get(made.id) == made
    assert tracker.people.get(person.id).lesion_count == 1


def test_a_lesion_needs_a_person_who_is_there(tracker: Tracker) -> None:
    with pytest.raises(RecordNotFoundError, match="no person"):
        tracker.lesions.create(new_id(), "back", 0.5, 0.5)
    person = tracker.people.create("Ada")
    tracker.people.delete(person.id)
    with pytest.raises(RecordNotFoundError, match="is deleted"):
        tracker.lesions.create(person.id, "back", 0.5, 0.5)
    assert tracker.counts().lesions == 0


def test_only_given_fields_change(tracker: Tracker, lesion: Lesion) -> None:
    changed = tracker.lesions.update(lesion.id, view="front", x=0, site="Nävus", colour="grey")
    assert (changed.view, changed.x, changed.y, changed.site, changed.colour) == ("front", 0, lesion.y, "Nävus", "grey")
    assert changed.updated_at > lesion.updated_at
    assert tracker.lesions.get(lesion.id) == changed
    with pytest.raises(InvalidRecordError, match="y is 7"):
        tracker.lesions.update(lesion.id, x=0.9, y=7.0)
    assert tracker.lesions.get(lesion.id) == changed


def test_lists_are_narrowed_and_sorted(tracker: Tracker) -> None:
    ada, zoe = tracker.people.create("Ada"), tracker.people.create("Zoe")
    arm = tracker.lesions.create(ada.id, "left", 0.1, 0.1, site="arm")
    leg = tracker.lesions.create(ada.id, "left", 0.1, 0.9, site="Leg")
    hers = tracker.lesions.create(zoe.id, "back", 0.1, 0.9, site="Ächz")
    visit = tracker.visits.add(leg.id, photo(), taken_at=datetime(2020, 1, 1, tzinfo=UTC))
    tracker.visits.add(hers.id, photo(), taken_at=datetime(2021, 1, 1, tzinfo=UTC))
    ids = {arm.id: "arm", leg.id: "leg", hers.id: "hers"}

    def listed(*args: str, **kwargs: object) -> list[str]:
        return [ids[found.id] for found in tracker.lesions.list(*args, **kwargs).items]  # type: ignore[arg-type]

    assert listed(sort="site") == ["hers", "arm", "leg"]
    assert listed(ada.id) == ["arm", "leg"]
    assert listed(zoe.id, view="left") == []
    assert listed(view="left") == ["arm", "leg"]
    assert listed(sort="last_visit_at") == ["leg", "hers", "arm"]
    assert listed(sort="last_visit_at", descending=True) == ["hers", "leg", "arm"]
    tracker.visits.delete(visit.id)
    assert listed(sort="last_visit_at") == ["hers", "arm", "leg"]
    for nobody in (new_id(), "nul\0"):
        assert listed(nobody) == []
    with pytest.raises(InvalidRecordError, match="view is 'top'; accepted: front"):
        listed(view="top")


def test_the_nearest_lesions_come_first(tracker: Tracker) -> None:
    ada, zoe = tracker.people.create("Ada"), tracker.people.create("Zoe")
    far = tracker.lesions.create(ada.id, "back", 0.5, 0.55)
    near = tracker.lesions.create(ada.id, "back", 0.53, 0.5)
    tracker.lesions.create(ada.id, "front", 0.5, 0.5)
    tracker.lesions.create(zoe.id, "back", 0.5, 0.5)
    gone = tracker.lesions.create(ada.id, "back", 0.5, 0.5)
    tracker.lesions.delete(gone.id)
    found = tracker.lesions.near(ada.id, "back", 0.5, 0.5, radius=0.06)
    assert [n.lesion for n in found] == [near, far]
    assert [n.distance for n in found] == pytest.approx([0.03, 0.05])
    # On a map twice as high as wide, a share of its height is twice as far.
    assert [n.lesion for n in tracker.lesions.near(ada.id, "back", 0.5, 0.5, radius=0.06, aspect=2.0)] == [near]
    assert tracker.lesions.near(ada.id, "back", 0.5, 0.5, radius=0.02) == ()


@pytest.mark.parametrize("wrong", [{"radius": 0.0}, {"radius": float("nan")}, {"aspect": -1.0}, {"x": 1.5}])
def test_a_place_is_checked(tracker: Tracker, lesion: Lesion, wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidRecordError, match=f"{next(iter(wrong))} is .*; accepted"):
        tracker.lesions.near(lesion.person_id, "back", **{"x": 0.5, "y": 0.5} | wrong)


def test_photos_fall_due_months_after_the_latest(tracker: Tracker, lesion: Lesion) -> None:
    other = tracker.lesions.create(lesion.person_id, "head", 0.5, 0.5, reminder_months=1)
    tracker.lesions.update(lesion.id, reminder_months=3)
    now = datetime.now(UTC)
    assert tracker.lesions.due() == ()
    assert [d.id for d in tracker.lesions.due(within=timedelta(days=100))] == [other.id, lesion.id]
    tracker.visits.add(lesion.id, photo(0), taken_at=now - timedelta(days=400))
    assert [d.id for d in tracker.lesions.due()] == [lesion.id]
    tracker.visits.add(lesion.id, photo(1), taken_at=now)
    assert tracker.lesions.due() == ()
    assert [d.id for d in tracker.lesions.due(now=now + timedelta(days=40))] == [other.id]
    tracker.lesions.delete(other.id)
    assert tracker.lesions.due(lesion.person_id, now=now + timedelta(days=40)) == ()
    assert tracker.lesions.due(new_id(), now=now + timedelta(days=400)) == ()
    due_at = tracker.lesions.get(lesion.id).due_at
    assert due_at is not None
    assert timedelta(days=89) <= due_at - now <= timedelta(days=92)


def test_a_deleted_person_hides_what_is_theirs_and_brings_it_back(tracker: Tracker, lesion: Lesion) -> None:
    other = tracker.lesions.create(lesion.person_id, "head", 0.5, 0.5)
    visit = tracker.visits.add(lesion.id, photo())
    tracker.lesions.delete(other.id)
    tracker.people.delete(lesion.person_id)
    assert tracker.lesions.list().items == ()
    assert tracker.lesions.list(deleted="only").items == ()
    assert tracker.lesions.list(deleted="with").total == 2
    assert tracker.visits.list().items == ()
    with pytest.raises(RecordNotFoundError, match="or what it belongs to, is deleted"):
        tracker.lesions.get(lesion.id)
    with pytest.raises(RecordNotFoundError, match="or what it belongs to, is deleted"):
        tracker.visits.add(lesion.id, photo())
    with pytest.raises(RecordConflictError, match="undelete that first"):
        tracker.lesions.undelete(other.id)
    tracker.people.undelete(lesion.person_id)
    assert [item.id for item in tracker.lesions.list().items] == [lesion.id]
    assert [item.id for item in tracker.lesions.list(deleted="only").items] == [other.id]
    assert tracker.visits.get(visit.id) == visit
    tracker.lesions.undelete(other.id)
    assert tracker.people.get(lesion.person_id).lesion_count == 2
