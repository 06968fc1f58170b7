from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import analysis

from lesionlens.errors import InvalidRecordError
from lesionlens.tracker import COLOURS, VIEWS, LesionFields, PersonFields, VisitFields
from lesionlens.tracker.database.columns import sort_key
from lesionlens.tracker.ids import is_id, new_id
from lesionlens.tracker.records import months_later

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("fields", "field", "accepted"),
    [
        ({"label": ""}, "label", "1–100 characters"),
        ({"label": "  \t "}, "label", "1–100 characters"),
        ({"label": "x" * 101}, "label", "1–100 characters"),
        ({"label": "two\nlines"}, "label", "one line"),
        ({"label": "nul\0"}, "label", "one line"),
        ({"label": "half \ud800 a pair"}, "label", "1–100 characters"),
        ({"label": 7}, "label", "a text"),
        ({"label": "Ada", "birth_year": 1879}, "birth_year", "1880 to this year"),
        ({"label": "Ada", "birth_year": NOW.year + 2}, "birth_year", "1880 to this year"),
        ({"label": "Ada", "birth_year": True}, "birth_year", "a whole number"),
        ({"label": "Ada", "birth_year": "1980"}, "birth_year", "a whole number"),
        ({"label": "Ada", "sex": "f"}, "sex", "female, male, other"),
        ({"label": "Ada", "skin_type": 0}, "skin_type", "1–6"),
        ({"label": "Ada", "skin_type": 7}, "skin_type", "1–6"),
        ({"label": "Ada", "note": "x" * 10_001}, "note", "10,000"),
        ({"label": "Ada", "note": "\x1b[2J"}, "note", "control"),
        ({"label": "Ada", "name": "Ada"}, "name", "known: label, birth_year"),
        ({}, "label", "label is missing"),
    ],
)
def test_people_are_checked(fields: dict[str, Any], field: str, accepted: str) -> None:
    with pytest.raises(InvalidRecordError) as caught:
        PersonFields(**fields)
    [(name, sentence)] = caught.value.problems
    assert name == field
    assert accepted in sentence
    assert len(sentence) < 250


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"view": "top"}, "view"),
        ({"x": -0.001}, "x"),
        ({"x": 1.001}, "x"),
        ({"y": float("nan")}, "y"),
        ({"y": float("inf")}, "y"),
        ({"y": "0.5"}, "y"),
        ({"colour": "#ff0000"}, "colour"),
        ({"reminder_months": 0}, "reminder_months"),
        ({"reminder_months": 121}, "reminder_months"),
        ({"site": "left\narm"}, "site"),
    ],
)
def test_lesions_are_checked(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRecordError, match="accepted: ") as caught:
        LesionFields(**{"view": "back", "x": 0.5, "y": 0.5} | changes)
    assert [name for name, _ in caught.value.problems] == [field]


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidRecordError) as caught:
        LesionFields(view="top", x=2.0, y=0.5)  # type: ignore[arg-type]
    assert [name for name, _ in caught.value.problems] == ["view", "x"]
    assert "view is 'top'; accepted: front, back" in str(caught.value)
    assert "x is 2.0; accepted: a share of the map's width, 0–1" in str(caught.value)


def test_every_view_and_colour_is_accepted() -> None:
    for view in VIEWS:
        for colour in (*COLOURS, None):
            assert LesionFields(view=view, x=0, y=1.0, colour=colour).view == view  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "taken_at",
    [
        datetime(2024, 5, 1, 12, 0),
        datetime(1899, 12, 31, tzinfo=UTC),
        NOW + timedelta(days=2),
        datetime(1901, 1, 1, tzinfo=timezone(timedelta(minutes=53, seconds=28))),
        "2024-05-01T12:00:00Z",
    ],
)
def test_times_without_an_offset_or_out_of_range_are_refused(taken_at: Any) -> None:
    with pytest.raises(InvalidRecordError, match=r"taken_at is .*accepted: a time with a UTC offset"):
        VisitFields(taken_at=taken_at)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"graph_sha256": "A" * 64}, "graph_sha256"),
        ({"prediction": 9}, "prediction"),
        ({"probabilities": (0.5,) * 7}, "probabilities"),
        ({"probabilities": (0.1,) * 7 + (1.5,)}, "probabilities"),
        ({"logits": (0.0,) * 7 + (float("nan"),)}, "logits"),
        ({"prediction_set": (8,)}, "prediction_set"),
        ({"quality": {"sharpness": float("nan")}}, "quality"),
        ({"quality": {"sharpness": np.float32(1)}}, "quality"),
        ({"maps": np.zeros((7, 7, 7), np.float32)}, "maps"),
        ({"maps": np.zeros((8, 7, 7), np.float64)}, "maps"),
        ({"maps": np.zeros((8, 0, 7), np.float32)}, "maps"),
        ({"model": ""}, "model"),
    ],
)
def test_analyses_are_checked(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRecordError, match="accepted: ") as caught:
        analysis(**changes)
    assert [name for name, _ in caught.value.problems] == [field]


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    before = int(datetime.now(UTC).timestamp() * 1000)
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert all(is_id(i) and i[14] == "7" and i[19] in "89ab" for i in ids)
    times = [int(i.replace("-", "")[:12], 16) for i in ids]
    assert times == sorted(times)
    assert 0 <= times[0] - before < 60_000


@pytest.mark.parametrize("text", ["", "x", new_id().upper(), new_id() + "\n", "0" * 36])
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ((2025, 11, 30), 3, (2026, 2, 28)),
        ((2023, 11, 30), 3, (2024, 2, 29)),
        ((2025, 1, 31), 1, (2025, 2, 28)),
        ((2025, 12, 15), 1, (2026, 1, 15)),
        ((2025, 12, 15), 24, (2027, 12, 15)),
        ((2025, 6, 15), 0, (2025, 6, 15)),
    ],
)
def test_months_end_where_the_calendar_says(day: tuple[int, int, int], months: int, then: tuple[int, int, int]) -> None:
    assert months_later(datetime(*day, 8, 30, tzinfo=UTC), months) == datetime(*then, 8, 30, tzinfo=UTC)


@given(st.text(max_size=100))
def test_a_sort_key_fits_its_column(text: str) -> None:
    assert len(sort_key(text)) <= 400
    assert sort_key(text.upper()) == sort_key(text.upper().casefold())


def test_labels_sort_without_regard_to_case_and_accents() -> None:
    assert sorted(["zoe", "Émile", "Zora", "emma"], key=sort_key) == ["Émile", "emma", "zoe", "Zora"]
