from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tracker_client import NEW_ID, NOBODY, TrackerClient, drawn, keeping, picture, problem

from lesionlens import DISCLAIMER, Classifier
from serving import FailingEngine, GatedEngine, as_file, behind, encode, wait_until

STORED_ONLY = {"id", "visit_id", "created_at", "has_maps"}
ANSWERED_ONLY = {"id", "maps", "overlays", "timings_ms"}


def test_a_visit_is_kept_with_its_analysis(api: TrackerClient) -> None:
    lesion = api.lesion()
    response = api.post(
        f"/v1/lesions/{lesion['id']}/visits",
        files=as_file(drawn()),
        data={"taken_at": "2024-05-01T23:30:15+05:45", "note": "first\nline"},
    )
    visit = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/visits/{visit['id']}"
    assert (visit["lesion_id"], visit["note"], visit["not_analysed"]) == (lesion["id"], "first\nline", None)
    assert visit["taken_at"] == "2024-05-01T23:30:15+05:45"
    assert visit["photo"] | {"sha256": ""} == {
        "sha256": "",
        "media_type": "image/png",
        "width": 320,
        "height": 256,
        "byte_size": len(drawn()),
    }
    [analysis] = visit["analyses"]
    answer = api.post("/v1/analyses", files=as_file(drawn())).json()
    assert set(analysis) - STORED_ONLY == set(answer) - ANSWERED_ONLY
    for name in set(analysis) - STORED_ONLY - {"quality", "suitability"}:
        assert analysis[name] == answer[name], name
    assert analysis["quality"]["hints"] == answer["quality"]["hints"]
    assert analysis["suitability"]["suitable"] == answer["suitability"]["suitable"]
    assert (analysis["visit_id"], analysis["has_maps"], analysis["disclaimer"]) == (visit["id"], True, DISCLAIMER)
    del visit["not_analysed"]
    assert api.get(f"/v1/visits/{visit['id']}").json() == visit


def test_a_photo_can_be_kept_without_an_analysis_and_analysed_later(api: TrackerClient) -> None:
    visit = api.visit(api.lesion()["id"], analyse="false")
    assert (visit["analyses"], visit["not_analysed"]) == ([], None)
    graph = api.get("/v1/tracker").json()["model"]["sha256"]
    waiting = {"not_analysed_by": graph, "lesion_id": visit["lesion_id"]}
    assert api.get("/v1/visits", params=waiting).json()["total"] == 1
    first, again = (api.post(f"/v1/visits/{visit['id']}/analyses") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert api.get("/v1/visits", params=waiting).json()["total"] == 0
    assert api.get(f"/v1/visits/{visit['id']}").json()["analyses"] == [first.json()]
    problem(api.post(f"/v1/visits/{NOBODY}/analyses"), 404, "not-found")
    problem(api.get("/v1/visits?not_analysed_by=lite2"), 422, "invalid-record")


def test_a_photo_that_is_sent_again_is_kept_once(api: TrackerClient) -> None:
    lesion, other = api.lesion(), api.lesion()
    path, sent = f"/v1/lesions/{lesion['id']}/visits", {"id": f"{NEW_ID}3", "note": "once", "analyse": "false"}
    first = api.post(path, files=as_file(drawn()), data=sent)
    again = api.post(path, files=as_file(drawn()), data=sent | {"analyse": "true"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert len(again.json()["analyses"]) == 1  # what the first attempt did not come to
    assert len(api.post(path, files=as_file(drawn()), data=sent).json()["analyses"]) == 1
    assert api.get("/v1/visits", params={"lesion_id": lesion["id"]}).json()["total"] == 1
    photos = api.get("/v1/tracker").json()["counts"]["photos"]
    document = problem(api.post(path, files=as_file(drawn(30)), data=sent), 409, "conflict")
    assert "another visit is recorded under the id" in document["detail"].lower()
    problem(api.post(f"/v1/lesions/{other['id']}/visits", files=as_file(drawn()), data=sent), 409, "conflict")
    assert api.get("/v1/tracker").json()["counts"]["photos"] == photos


@pytest.mark.parametrize(
    ("fields", "accepted"),
    [
        ({"taken_at": "yesterday"}, "taken_at is 'yesterday'; accepted: a time with a UTC offset"),
        ({"taken_at": "2024-05-01T23:30:15"}, "taken_at is 2024-05-01T23:30:15; accepted: a time with a UTC offset"),
        ({"taken_at": "2999-01-01T00:00:00Z"}, "from the year 1900 to now"),
        ({"analyse": "maybe"}, "analyse is 'maybe'; accepted: true or false"),
        ({"id": "7"}, "id is '7'; accepted: a UUID in lower case"),
        ({"notes": "x"}, "there is no field 'notes'; known: id, taken_at, note, analyse"),
        ({"note": "x" * 10_001}, "accepted: a text of at most 10,000 characters"),
    ],
)
def test_fields_that_are_not_accepted_leave_nothing_behind(
    api: TrackerClient, data_dir: Path, fields: dict[str, str], accepted: str
) -> None:
    lesion = api.lesion()
    before = sum(1 for file in (data_dir / "photos").rglob("*") if file.is_file())
    response = api.post(f"/v1/lesions/{lesion['id']}/visits", files=as_file(drawn(33)), data=fields)
    [error] = problem(response, 422, "invalid-record")["errors"]
    assert accepted in error["detail"]
    assert sum(1 for file in (data_dir / "photos").rglob("*") if file.is_file()) == before


@pytest.mark.parametrize(
    ("data", "status", "slug"),
    [
        (b"", 400, "empty-image"),
        (b"GIF89a" + bytes(60), 415, "unsupported-image"),
        (drawn()[:2000], 422, "corrupt-image"),
        (bytes(21 * 1024 * 1024), 413, "image-too-large"),
    ],
)
def test_what_is_no_photo_is_refused(api: TrackerClient, data: bytes, status: int, slug: str) -> None:
    lesion = api.lesion()
    problem(api.post(f"/v1/lesions/{lesion['id']}/visits", files=as_file(data)), status, slug)
    assert api.get(f"/v1/lesions/{lesion['id']}").json()["visit_count"] == 0


def test_a_visit_of_nothing_is_refused_before_its_photo_is_read(api: TrackerClient) -> None:
    problem(api.post(f"/v1/lesions/{NOBODY}/visits", content=b"not even a form"), 404, "not-found")
    problem(api.post(f"/v1/lesions/{api.lesion()['id']}/visits", content=b"not even a form"), 400, "missing-file")


def test_time_and_note_can_be_corrected(api: TrackerClient) -> None:
    visit = api.visit(api.lesion()["id"], analyse="false")
    path = f"/v1/visits/{visit['id']}"
    changed = api.patch(path, json={"taken_at": "2020-02-29T10:00:00-03:30"}).json()
    assert (changed["taken_at"], changed["note"]) == ("2020-02-29T10:00:00-03:30", "")
    assert api.patch(path, json={"note": "bled"}).json()["taken_at"] == "2020-02-29T10:00:00-03:30"
    for wrong in ({"taken_at": None}, {"taken_at": "2020"}, {"photo": "x"}, {"visit_id": "x"}):
        problem(api.patch(path, json=wrong), 422, "invalid-record")


def test_a_visit_can_be_given_to_the_right_lesion(api: TrackerClient) -> None:
    visit, other = api.visit(api.lesion()["id"], analyse="false"), api.lesion()
    moved = api.post(f"/v1/visits/{visit['id']}/move", json={"lesion_id": other["id"]})
    assert moved.json()["lesion_id"] == other["id"]
    problem(api.post(f"/v1/visits/{visit['id']}/move", json={"lesion_id": NOBODY}), 404, "not-found")
    document = problem(api.post(f"/v1/visits/{visit['id']}/move", json={"lesion": other["id"]}), 422, "invalid-record")
    assert {error["field"] for error in document["errors"]} == {"lesion", "lesion_id"}


def test_erasing_a_visit_removes_its_photo(api: TrackerClient, data_dir: Path) -> None:
    visit = api.visit(api.lesion()["id"], drawn(44), analyse="false")
    sha256, path = visit["photo"]["sha256"], f"/v1/visits/{visit['id']}"
    file = data_dir / "photos" / sha256[:2] / sha256[2:4] / sha256
    assert file.read_bytes() == drawn(44)
    assert api.get(f"{path}/photo?side=64").status_code == 200
    problem(api.post(f"{path}/erase"), 409, "conflict")
    assert api.delete(path).json()["deleted_at"]
    assert api.get(f"{path}/photo").content == drawn(44)  # shown where it can be undeleted
    assert api.post(f"{path}/erase").json() == {"people": 0, "lesions": 0, "visits": 1, "analyses": 0, "photos": 1}
    assert not file.exists()
    for query in ("", "?side=64"):
        problem(api.get(f"{path}/photo{query}"), 404, "not-found")
    assert api.server.state.tracking.thumbnails.held == 0


def test_maps_are_those_of_the_analysis(api: TrackerClient) -> None:
    [analysis] = api.visit(api.lesion()["id"])["analyses"]
    answer = api.post("/v1/analyses?maps=all", files=as_file(drawn())).json()
    path = f"/v1/analyses/{analysis['id']}/maps"
    assert api.get(path).json() == {"seen_box": answer["seen_box"], "maps": answer["maps"]}
    top = answer["most_probable"]["code"]
    assert list(api.get(f"{path}?maps=top").json()["maps"]) == [top]
    assert list(api.get(f"{path}?maps=nv,MEL").json()["maps"]) == ["MEL", "NV"]
    assert "MEL, NV" in problem(api.get(f"{path}?maps=XYZ"), 422, "invalid-parameter")["detail"]
    problem(api.get(f"/v1/analyses/{NOBODY}/maps"), 404, "not-found")
    problem(api.get("/v1/analyses/x/maps"), 404, "not-found")


def test_a_photo_is_kept_when_the_service_is_too_busy_to_analyse_it(classifier: Classifier, tmp_path: Path) -> None:
    model, engine = behind(GatedEngine, classifier)
    with keeping(model, tmp_path, queue_size=1) as api:
        wait_until(lambda: api.server.state.warm)
        lesion = api.lesion()
        engine.gate.clear()
        with api.server.state.running[1].photos.enter():
            visit = api.visit(lesion["id"])
            assert visit["analyses"] == []
            assert visit["not_analysed"].startswith("The service is busy: 1 photos waiting")
            busy = api.post(f"/v1/visits/{visit['id']}/analyses")
            problem(busy, 503, "overloaded")
            assert int(busy.headers["retry-after"]) >= 1
            assert api.get(f"/v1/lesions/{lesion['id']}").json()["visit_count"] == 1  # while the engine is at work
        engine.gate.set()
        assert api.post(f"/v1/visits/{visit['id']}/analyses").status_code == 201


def test_a_photo_is_kept_when_the_engine_fails(
    classifier: Classifier, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model, engine = behind(FailingEngine, classifier)
    with keeping(model, tmp_path) as api:
        wait_until(lambda: api.server.state.warm)
        engine.gate.clear()
        visit = api.visit(api.lesion()["id"])
        assert visit["analyses"] == []
        assert visit["not_analysed"] == (
            "The photo could not be analysed. The photo is stored; its analysis can be asked for later."
        )
        problem(api.post(f"/v1/visits/{visit['id']}/analyses"), 500, "internal")


def test_a_client_that_leaves_is_kept_its_photo(classifier: Classifier, tmp_path: Path) -> None:
    model, engine = behind(GatedEngine, classifier)
    with keeping(model, tmp_path) as api:
        wait_until(lambda: api.server.state.warm)
        lesion = api.lesion()
        engine.gate.clear()
        path, form = f"/v1/lesions/{lesion['id']}/visits", {"id": f"{NEW_ID}4"}
        with httpx.Client(base_url=api.server.url, timeout=1.0) as impatient, pytest.raises(httpx.ReadTimeout):
            impatient.post(path, files=as_file(encode(picture())), data=form)
        wait_until(lambda: api.get(f"/v1/lesions/{lesion['id']}").json()["visit_count"] == 1)
        engine.gate.set()
        again = api.post(path, files=as_file(encode(picture())), data=form)
        assert again.status_code == 200
        wait_until(lambda: len(api.get(f"/v1/visits/{form['id']}").json()["analyses"]) == 1)
    with keeping(model, tmp_path) as api:
        assert len(api.get(f"/v1/visits/{form['id']}").json()["analyses"]) == 1
