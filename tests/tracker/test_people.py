from __future__ import annotations

from datetime import UTC, datetime

import pytest
from places import Place

from lesionlens.errors import InvalidRecordError, RecordNotFoundError
from lesionlens.tracker import Tracker
from lesionlens.tracker.ids import is_id


def test_a_person_comes_back_as_recorded_in_another_process_of_the_store(tracker: Tracker, place: Place) -> None:
    before = datetime.now(UTC)
    made = tracker.people.create("  Grüße 🌍 ", birth_year=1980, sex="other", skin_type=6, note="a\nb\t'; DROP TABLE")
    assert is_id(made.id)
    assert (made.label, made.birth_year, made.sex, made.skin_type) == ("Grüße 🌍", 1980, "other", 6)
    assert before <= made.created_at == made.updated_at <= datetime.now(UTC)
    assert (made.created_at.tzinfo, made.deleted_at, made.lesion_count) == (UTC, None, 0)
    with Tracker(place.data_dir, place.url) as other:
        assert other.people.get(made.id) == made


def test_nothing_but_a_label_is_needed(tracker: Tracker) -> None:
    made = tracker.people.create("Ada")
    assert (made.birth_year, made.sex, made.skin_type, made.note) == (None, None, None, "")


def test_only_given_fields_change(tracker: Tracker) -> None:
    made = tracker.people.create("Ada", birth_year=1980, skin_type=2, note="tans")
    changed = tracker.people.update(made.id, label="Zoe", birth_year=None)
    assert (changed.label, changed.birth_year, changed.skin_type, changed.note) == ("Zoe", None, 2, "tans")
    assert changed.created_at == made.created_at
    assert changed.updated_at > made.updated_at
    assert tracker.people.get(made.id) == changed
    tracker.people.create("Max")
    assert [p.label for p in tracker.people.list().items] == ["Max", "Zoe"]


def test_a_refused_change_changes_nothing(tracker: Tracker) -> None:
    made = tracker.people.create("Ada")
    with pytest.raises(InvalidRecordError, match="skin_type"):
        tracker.people.update(made.id, label="Zoe", skin_type=9)
    with pytest.raises(InvalidRecordError, match="no field 'id'"):
        tracker.people.update(made.id, id="x")  # type: ignore[call-arg]
    assert tracker.people.get(made.id) == made


@pytest.mark.parametrize("record_id", ["", "x", "0" * 36, "nul\0", "half \ud800", "' OR 1=1 --", "x" * 100_000])
def test_whatever_is_no_id_is_not_found(tracker: Tracker, record_id: str) -> None:
    tracker.people.create("Ada")
    for ask in (tracker.people.get, tracker.people.delete, tracker.people.undelete, tracker.people.erase):
        with pytest.raises(RecordNotFoundError, match="there is no person") as caught:
            ask(record_id)
        assert len(str(caught.value)) < 200


def test_pages_cover_the_list_once_in_either_direction(tracker: Tracker) -> None:
    made = [tracker.people.create(label) for label in ("b", "Ä", "a", "b", "B", "c", "b")]
    for descending in (False, True):
        pages = [
            tracker.people.list(descending=descending, sort="label", offset=offset, limit=3) for offset in (0, 3, 6, 9)
        ]
        assert [len(page.items) for page in pages] == [3, 3, 1, 0]
        assert {page.total for page in pages} == {7}
        listed = [person for page in pages for person in page.items]
        assert sorted(p.id for p in listed) == sorted(p.id for p in made)
        keys = [p.label.lower().replace("ä", "a") for p in listed]
        assert keys == sorted(keys, reverse=descending)


def test_missing_values_come_last_in_either_direction(tracker: Tracker) -> None:
    for year in (1990, None, 1970, 1980):
        tracker.people.create("x", birth_year=year)
    years = [p.birth_year for p in tracker.people.list(sort="birth_year").items]
    assert years == [1970, 1980, 1990, None]
    years = [p.birth_year for p in tracker.people.list(sort="birth_year", descending=True).items]
    assert years == [1990, 1980, 1970, None]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"sort": "name"}, "sort"),
        ({"deleted": "maybe"}, "deleted"),
        ({"offset": -1}, "offset"),
        ({"offset": 2**63}, "offset"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
    ],
)
def test_lists_say_what_they_accept(tracker: Tracker, arguments: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRecordError, match=f"{field} is .*; accepted: "):
        tracker.people.list(**arguments)  # type: ignore[arg-type]


def test_a_deleted_person_can_be_undeleted(tracker: Tracker) -> None:
    ada, zoe = tracker.people.create("Ada"), tracker.people.create("Zoe")
    deleted = tracker.people.delete(ada.id)
    assert deleted.deleted_at is not None
    assert tracker.people.delete(ada.id) == deleted
    with pytest.raises(RecordNotFoundError, match="is deleted; undelete it first"):
        tracker.people.get(ada.id)
    with pytest.raises(RecordNotFoundError, match="is deleted"):
        tracker.people.update(ada.id, label="x")
    assert tracker.people.get(ada.id, deleted=True) == deleted
    assert tracker.people.list().items == (zoe,)
    assert tracker.people.list(deleted="only").items == (deleted,)
    assert tracker.people.list(deleted="with").total == 2
    assert tracker.people.undelete(ada.id) == ada
    assert tracker.people.undelete(ada.id) == ada
    assert tracker.people.list().items == (ada, zoe)
