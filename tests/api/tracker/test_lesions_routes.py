from __future__ import annotations

from typing import Any

import pytest
from tracker_client import NEW_ID, NOBODY, TrackerClient, drawn, problem


def test_a_lesion_is_recorded_and_found(api: TrackerClient) -> None:
    person = api.person()
    sent = {"view": "left_hand", "x": 0.25, "y": 1, "site": "palm", "note": "n", "colour": "red", "reminder_months": 3}
    response = api.post(f"/v1/people/{person['id']}/lesions", json=sent)
    made = response.json()
    assert response.headers["location"] == f"/v1/lesions/{made['id']}"
    assert {name: made[name] for name in sent} == sent
    assert (made["person_id"], made["visit_count"], made["last_visit_at"], made["latest"]) == (
        person["id"],
        0,
        None,
        None,
    )
    assert made["due_at"] > made["created_at"]
    assert made["due"] is False
    assert api.get(f"/v1/lesions/{made['id']}").json() == made
    assert api.get(f"/v1/people/{person['id']}").json()["lesion_count"] == 1
    problem(api.post(f"/v1/people/{NOBODY}/lesions", json=sent), 404, "not-found")


def test_lists_are_of_a_person_and_a_view(api: TrackerClient) -> None:
    person, other = api.person(), api.person()
    back = [api.lesion(person["id"], site=site)["id"] for site in ("Émile", "anna", "Bob")]
    front = api.lesion(person["id"], view="front")["id"]
    api.lesion(other["id"])
    mine = {"person_id": person["id"]}
    assert [lesion["id"] for lesion in api.get("/v1/lesions", params=mine).json()["items"]] == [*back, front]
    by_site = api.get("/v1/lesions", params=mine | {"view": "back", "sort": "site", "descending": True}).json()
    assert [lesion["site"] for lesion in by_site["items"]] == ["Émile", "Bob", "anna"]
    assert api.get("/v1/lesions", params={"person_id": NOBODY}).json()["total"] == 0
    problem(api.get("/v1/lesions?view=knee"), 422, "invalid-parameter")


def test_null_empties_a_field_and_absent_ones_stay(api: TrackerClient) -> None:
    lesion = api.lesion(colour="blue", reminder_months=6)
    path = f"/v1/lesions/{lesion['id']}"
    moved = api.patch(path, json={"x": 0.75, "reminder_months": None}).json()
    assert (moved["x"], moved["y"], moved["colour"]) == (0.75, 0.25, "blue")
    assert (moved["reminder_months"], moved["due_at"], moved["due"]) == (None, None, False)
    document = problem(api.patch(path, json={"x": 2, "y": None, "colour": "pink"}), 422, "invalid-record")
    assert {e["field"]: e["detail"] for e in document["errors"]} == {
        "x": "x is 2; accepted: a share of the map's width, 0–1",
        "y": "y is None; accepted: a share of the map's height, 0–1",
        "colour": "colour is 'pink'; accepted: red, orange, yellow, green, blue, purple, grey, or nothing",
    }
    assert api.get(path).json() == moved


def test_a_request_that_is_sent_again_records_nothing_twice(api: TrackerClient) -> None:
    person, other = api.person(), api.person()
    path = f"/v1/people/{person['id']}/lesions"
    sent = {"id": f"{NEW_ID}2", "view": "head", "x": 0.1, "y": 0.2}
    assert [api.post(path, json=sent).status_code for _ in range(2)] == [201, 200]
    problem(api.post(path, json=sent | {"x": 0.2}), 409, "conflict")
    problem(api.post(f"/v1/people/{other['id']}/lesions", json=sent), 409, "conflict")
    assert api.get("/v1/lesions", params={"person_id": person["id"]}).json()["total"] == 1


def test_near_lesions_come_with_their_distance(api: TrackerClient) -> None:
    person = api.person()["id"]
    close, closer = (api.lesion(person, x=x)["id"] for x in (0.53, 0.51))
    api.lesion(person, x=0.9)
    place: dict[str, Any] = {"person_id": person, "view": "back", "x": 0.5, "y": 0.25}
    found = api.get("/v1/lesions/near", params=place).json()["items"]
    assert [(n["lesion"]["id"], n["distance"]) for n in found] == [
        (closer, pytest.approx(0.01)),
        (close, pytest.approx(0.03)),
    ]
    assert len(api.get("/v1/lesions/near", params=place | {"radius": 1}).json()["items"]) == 3
    assert api.get("/v1/lesions/near", params=place | {"y": 0.2, "aspect": 4}).json()["items"] == []
    document = problem(api.get("/v1/lesions/near", params=place | {"x": 2, "y": "nan"}), 422, "invalid-record")
    assert [error["field"] for error in document["errors"]] == ["x", "y"]
    problem(api.get("/v1/lesions/near", params=place | {"radius": "nan"}), 422, "invalid-record")


def test_lesions_whose_next_photo_is_due(api: TrackerClient) -> None:
    person = api.person()["id"]
    late, soon = (api.lesion(person, reminder_months=months)["id"] for months in (1, 2))
    api.lesion(person)
    api.visit(late, taken_at="2020-01-31T12:00:00+00:00", analyse="false")
    [overdue] = api.get("/v1/lesions/due", params={"person_id": person}).json()["items"]
    assert (overdue["id"], overdue["due"], overdue["due_at"]) == (late, True, "2020-02-29T12:00:00Z")
    ahead = api.get("/v1/lesions/due", params={"person_id": person, "within_days": 90}).json()["items"]
    assert [lesion["id"] for lesion in ahead] == [late, soon]
    problem(api.get("/v1/lesions/due?within_days=-1"), 422, "invalid-parameter")


def test_lists_tell_what_was_last_said(api: TrackerClient) -> None:
    lesion = api.lesion()
    later = api.visit(lesion["id"], drawn(60), taken_at="2026-05-01T23:30:00+09:00")
    earlier = api.visit(lesion["id"], drawn(50), taken_at="2026-04-01T12:00:00+00:00")
    unseen = api.visit(lesion["id"], drawn(40), taken_at="2026-06-01T12:00:00+00:00", analyse="false")
    [analysis] = later["analyses"]
    expected = {
        "visit_id": later["id"],
        "analysis_id": analysis["id"],
        "taken_at": "2026-05-01T23:30:00+09:00",
        "malignant_probability": analysis["malignancy"]["probability"],
        "prediction": analysis["prediction"]["code"],
        "suitable": analysis["suitability"]["suitable"],
        "reached": [p["name"] for p in analysis["malignancy"]["operating_points"] if p["reached"]],
        "model": analysis["model"]["name"],
        "version": analysis["model"]["version"],
    }
    [listed] = api.get("/v1/lesions", params={"person_id": lesion["person_id"]}).json()["items"]
    assert listed["latest"] == expected
    assert api.get(f"/v1/lesions/{lesion['id']}").json() == listed
    timeline = api.get(f"/v1/lesions/{lesion['id']}/timeline").json()
    assert timeline["lesion"] == listed
    assert [visit["id"] for visit in timeline["visits"]] == [earlier["id"], later["id"], unseen["id"]]
    api.delete(f"/v1/visits/{later['id']}")
    assert api.get(f"/v1/lesions/{lesion['id']}").json()["latest"]["visit_id"] == earlier["id"]


def test_a_lesion_is_hidden_with_its_person(api: TrackerClient) -> None:
    lesion = api.lesion()
    api.delete(f"/v1/people/{lesion['person_id']}")
    problem(api.get(f"/v1/lesions/{lesion['id']}"), 404, "not-found")
    problem(api.post(f"/v1/lesions/{lesion['id']}/undelete"), 409, "conflict")
    api.post(f"/v1/people/{lesion['person_id']}/undelete")
    assert api.get(f"/v1/lesions/{lesion['id']}").json()["deleted_at"] is None
    assert api.delete(f"/v1/lesions/{lesion['id']}").json()["deleted_at"]
    assert api.post(f"/v1/lesions/{lesion['id']}/erase").json()["lesions"] == 1
