from __future__ import annotations

from typing import Any

import pytest
from tracker_client import NEW_ID, NOBODY, TrackerClient, problem

JSON = {"Content-Type": "application/json"}


def test_a_person_is_recorded_and_found(api: TrackerClient) -> None:
    sent = {"label": " Ada ", "birth_year": 1980, "sex": "female", "skin_type": 2, "note": "Réunion"}
    response = api.post("/v1/people", json=sent)
    made = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/people/{made['id']}"
    assert response.headers["cache-control"] == "no-store"
    assert {name: made[name] for name in sent} == sent | {"label": "Ada"}
    assert (made["lesion_count"], made["deleted_at"]) == (0, None)
    assert made["created_at"].endswith("Z")
    assert api.get(f"/v1/people/{made['id']}").json() == made


def test_lists_come_sorted_in_pages(api: TrackerClient) -> None:
    for label in ("Zoë páging", "anna paging", "Émile paging", "Bob paging"):
        api.person(label=label)
    everybody = api.get("/v1/people", params={"limit": 500}).json()
    labels = [p["label"] for p in everybody["items"] if "p" in p["label"] and "ging" in p["label"]]
    assert labels == ["anna paging", "Bob paging", "Émile paging", "Zoë páging"]
    total = everybody["total"]
    assert total == len(everybody["items"])
    first = api.get("/v1/people", params={"limit": 2}).json()
    second = api.get("/v1/people", params={"limit": 2, "offset": 2}).json()
    assert [p["id"] for p in first["items"] + second["items"]] == [p["id"] for p in everybody["items"][:4]]
    assert (second["total"], second["offset"], second["limit"]) == (total, 2, 2)
    newest = api.get("/v1/people", params={"sort": "created_at", "descending": True, "limit": 1}).json()
    assert newest["items"][0]["label"] == "Bob paging"


def test_only_the_fields_that_are_sent_change(api: TrackerClient) -> None:
    person = api.person(birth_year=1980, sex="male", note="old")
    changed = api.patch(f"/v1/people/{person['id']}", json={"birth_year": None, "note": "new"}).json()
    assert (changed["birth_year"], changed["sex"], changed["note"]) == (None, "male", "new")
    assert changed["updated_at"] > person["updated_at"]
    untouched = api.patch(f"/v1/people/{person['id']}", json={}).json()
    assert untouched["note"] == "new"
    problem(api.patch(f"/v1/people/{person['id']}", json={"label": None}), 422, "invalid-record")
    assert api.get(f"/v1/people/{person['id']}").json()["label"] == "Ada"


@pytest.mark.parametrize(
    ("sent", "field", "accepted"),
    [
        ({}, "label", "label is missing; accepted: a text of 1–100 characters on one line"),
        ({"label": ""}, "label", "label is ''; accepted"),
        ({"label": "A", "skin_type": 7}, "skin_type", "skin_type is 7; accepted: Fitzpatrick"),
        ({"label": "A", "sex": "x"}, "sex", "accepted: female, male, other, or nothing"),
        ({"label": "A", "birth_year": "1980"}, "birth_year", "birth_year is '1980'; accepted: a whole number"),
        (
            {"label": "A", "name": "B"},
            "name",
            "there is no field 'name'; known: label, birth_year, sex, skin_type, note",
        ),
        ({"label": "A", "self": 1}, "self", "there is no field 'self'"),
        ({"label": "A", "id": "1"}, "id", "id is '1'; accepted: a UUID in lower case"),
        ({"label": "A", "id": NOBODY.upper().replace("0", "A")}, "id", "accepted: a UUID in lower case"),
    ],
)
def test_what_is_not_accepted_is_told_field_by_field(
    api: TrackerClient, sent: dict[str, Any], field: str, accepted: str
) -> None:
    document = problem(api.post("/v1/people", json=sent), 422, "invalid-record")
    [error] = document["errors"]
    assert error["field"] == field
    assert accepted in error["detail"]
    assert document["detail"] == f"{error['detail']}."


@pytest.mark.parametrize("field", ["name", "self", "person_id", "work"])
def test_unknown_fields_are_refused_in_changes_too(api: TrackerClient, field: str) -> None:
    document = problem(api.patch(f"/v1/people/{api.person()['id']}", json={field: "x"}), 422, "invalid-record")
    assert document["errors"] == [
        {"field": field, "detail": f"there is no field '{field}'; known: label, birth_year, sex, skin_type, note"}
    ]


@pytest.mark.parametrize(
    ("content", "headers", "words"),
    [
        (b'{"label": "A"}', {"Content-Type": "text/plain"}, "application/json"),
        (b'{"label": "A"}', {}, "application/json"),
        (b'{"label": ', JSON, "not valid JSON"),
        (b'{"label": NaN}', JSON, "not valid JSON"),
        (b'{"label": "\\ud800"}', JSON, "not valid JSON"),
        (b'{"label": "\xff"}', JSON, "not valid JSON"),
        (b"[" * 100_000, JSON, "not valid JSON"),
        (b'{"label": "' + b"x" * 300_000 + b'"}', JSON, "too large"),
    ],
)
def test_what_is_no_json_is_refused(api: TrackerClient, content: bytes, headers: dict[str, str], words: str) -> None:
    assert words in problem(api.post("/v1/people", content=content, headers=headers), 400, "bad-request")["detail"]


def test_a_body_must_be_an_object(api: TrackerClient) -> None:
    assert "accepted: an object" in problem(api.post("/v1/people", json=["Ada"]), 422, "invalid-record")["detail"]


def test_a_request_that_is_sent_again_records_nothing_twice(api: TrackerClient) -> None:
    sent = {"id": f"{NEW_ID}1", "label": "Twice", "skin_type": 3}
    first, again = api.post("/v1/people", json=sent), api.post("/v1/people", json=sent)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["id"] == sent["id"]
    document = problem(api.post("/v1/people", json=sent | {"skin_type": 4}), 409, "conflict")
    assert "another person is recorded under the id" in document["detail"].lower()
    api.delete(f"/v1/people/{sent['id']}")
    assert "deleted; undelete it" in problem(api.post("/v1/people", json=sent), 409, "conflict")["detail"]


def test_deleting_can_be_undone_and_erasing_cannot(api: TrackerClient) -> None:
    person = api.person(label="Gone")
    path = f"/v1/people/{person['id']}"
    api.lesion(person["id"])
    assert "delete it first" in problem(api.post(f"{path}/erase"), 409, "conflict")["detail"]
    deleted = api.delete(path)
    assert deleted.status_code == 200
    assert deleted.json()["deleted_at"]
    assert "undelete it first" in problem(api.get(path), 404, "not-found")["detail"]
    assert person["id"] not in [p["id"] for p in api.get("/v1/people?limit=500").json()["items"]]
    assert person["id"] in [p["id"] for p in api.get("/v1/people?deleted=only&limit=500").json()["items"]]
    assert api.post(f"{path}/undelete").json()["lesion_count"] == 1
    assert api.get(path).json()["deleted_at"] is None
    api.delete(path)
    erased = api.post(f"{path}/erase")
    assert erased.json() == {"people": 1, "lesions": 1, "visits": 0, "analyses": 0, "photos": 0}
    for response in (api.get(path), api.delete(path), api.post(f"{path}/undelete"), api.post(f"{path}/erase")):
        assert "there is no person" in problem(response, 404, "not-found")["detail"].lower()


def test_a_method_that_is_not_there_is_told_with_all_that_are(api: TrackerClient) -> None:
    response = api.server.client.put(f"/v1/people/{NOBODY}")
    document = problem(response, 405, "method-not-allowed")
    assert document["detail"] == "PUT is not allowed here; accepted: DELETE, GET, PATCH."
    assert response.headers["allow"] == "DELETE, GET, PATCH"


@pytest.mark.parametrize("person_id", [NOBODY, "no-id", "%00", "a" * 500])
def test_who_is_not_there_is_not_found(api: TrackerClient, person_id: str) -> None:
    problem(api.get(f"/v1/people/{person_id}"), 404, "not-found")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("offset=-1", "offset"),
        ("sort=name", "'label', 'birth_year'"),
        ("deleted=yes", "'without', 'only' or 'with'"),
        ("labels=Ada", "There is no parameter 'labels' here; known: deleted, offset, limit, sort, descending."),
    ],
)
def test_wrong_parameters_are_told(api: TrackerClient, query: str, words: str) -> None:
    assert words in problem(api.get(f"/v1/people?{query}"), 422, "invalid-parameter")["detail"]
