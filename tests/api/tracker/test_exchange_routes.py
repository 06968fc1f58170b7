from __future__ import annotations

import base64
import io
import json
import socket
import zipfile
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from tracker_client import NOBODY, TrackerClient, drawn, keeping, problem

from lesionlens import DISCLAIMER, Classifier
from lesionlens.api.routes import exchange
from serving import as_file


def as_zip(data: bytes) -> dict[str, Any]:
    """The form that a client sends."""
    return as_file(data, "moles.zip", "application/zip")


def storage() -> bytes:
    """What the SkinTracker app keeps of one mole."""
    image = f"data:image/png;base64,{base64.b64encode(drawn(40.0, 8)).decode()}"
    record = {
        "id": "r",
        "image": image,
        "date": "2024-01-03",
        "prediction": 1,
        "probabilities": [0, 1, 0, 0, 0, 0, 0, 0, 0],
    }
    return json.dumps({"moles": [{"id": "m", "location": {"x": 10, "y": 20}, "records": [record]}]}).encode()


def test_an_export_goes_out_and_comes_in_elsewhere(api: TrackerClient, classifier: Classifier, tmp_path: Path) -> None:
    lesion = api.lesion()
    visit = api.visit(lesion["id"])
    response = api.get("/v1/export")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-disposition"] == 'attachment; filename="lesionlens-export.zip"'
    assert int(response.headers["content-length"]) == len(response.content)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert f"photos/{visit['photo']['sha256']}.png" in archive.namelist()
        counts = json.loads(archive.read("export.json"))["counts"]
    with keeping(classifier, tmp_path) as other:
        done = other.post("/v1/import", files=as_zip(response.content)).json()
        assert done == {**counts, "already_there": 0, "skipped": []}
        again = other.post("/v1/import", files=as_zip(response.content)).json()
        assert again["already_there"] == sum(counts[kind] for kind in ("people", "lesions", "visits", "analyses"))
        assert other.get("/v1/export").content == response.content
        there = other.get(f"/v1/visits/{visit['id']}").json()
        assert [a["probabilities"] for a in there["analyses"]] == [a["probabilities"] for a in visit["analyses"]]
        assert other.get(f"/v1/visits/{visit['id']}/photo").content == drawn()


def test_one_person_is_exported_alone(api: TrackerClient) -> None:
    person = api.person(label="Zoë")
    api.lesion(person["id"])
    response = api.get("/v1/export", params={"person_id": person["id"]})
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert {name.split("/")[1] for name in archive.namelist() if "/" in name} == {person["id"]}
    assert (
        "there is no person" in problem(api.get(f"/v1/export?person_id={NOBODY}"), 404, "not-found")["detail"].lower()
    )
    problem(api.get("/v1/export?person=1"), 422, "invalid-parameter")


def test_a_report_can_be_read(api: TrackerClient) -> None:
    person = api.person(label="Łukasz <b>")
    api.visit(api.lesion(person["id"], site="left ear")["id"])
    page = api.get(f"/v1/people/{person['id']}/report")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert "sandbox" in page.headers["content-security-policy"]
    assert "Łukasz &lt;b&gt;" in page.text
    assert "1. left ear" in page.text
    assert DISCLAIMER in page.text
    pdf = api.get(f"/v1/people/{person['id']}/report", params={"format": "pdf"})
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    problem(api.get(f"/v1/people/{person['id']}/report?format=docx"), 422, "invalid-parameter")
    problem(api.get(f"/v1/people/{NOBODY}/report"), 404, "not-found")
    api.delete(f"/v1/people/{person['id']}")
    problem(api.get(f"/v1/people/{person['id']}/report"), 404, "not-found")


def test_the_skintracker_apps_storage_is_taken(api: TrackerClient) -> None:
    person = api.person()
    path = f"/v1/import?person_id={person['id']}"
    done = api.post(path, files=as_file(storage(), "storage.json", "application/json")).json()
    assert (done["people"], done["lesions"], done["visits"], done["analyses"]) == (0, 1, 1, 1)
    [lesion] = api.get(f"/v1/lesions?person_id={person['id']}").json()["items"]
    [visit] = api.get(f"/v1/lesions/{lesion['id']}/timeline").json()["visits"]
    [analysis] = visit["analyses"]
    assert (analysis["model"]["name"], analysis["prediction"]["code"]) == ("skintracker", "NV")
    page = api.get(f"/v1/people/{person['id']}/report").text
    assert "taken over from another program" in page


@pytest.mark.parametrize(
    ("data", "why"), [(b"", "neither a ZIP nor JSON"), (b"PK\x03\x04 cut", "cut short"), (b"{}", "no list of moles")]
)
def test_what_cannot_be_imported_is_refused(api: TrackerClient, data: bytes, why: str) -> None:
    refused = problem(api.post("/v1/import", files=as_zip(data)), 422, "invalid-record")
    assert why in refused["detail"]
    assert [e["field"] for e in refused["errors"]] == ["file"]


def test_requests_without_a_file_are_refused(api: TrackerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    problem(api.post("/v1/import", json={}), 400, "missing-file")
    problem(api.post("/v1/import", files={"other": ("x.zip", b"x")}), 400, "missing-file")
    problem(api.post("/v1/import", files=[("file", ("x", b"x")), ("file", ("y", b"y"))]), 400, "missing-file")
    problem(api.post("/v1/import", content=b"x", headers={"Content-Type": "multipart/form-data"}), 400, "missing-file")
    monkeypatch.setattr(exchange, "MAX_IMPORT_BYTES", 1000)
    problem(api.post("/v1/import", files=as_zip(bytes(2000))), 413, "image-too-large")


def test_an_upload_that_stops_is_given_up(classifier: Classifier, tmp_path: Path) -> None:
    with keeping(classifier, tmp_path, upload_timeout=0.2) as api:
        host, port = api.server.url.removeprefix("http://").split(":")
        head = (
            f"POST /v1/import HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            "Content-Length: 5000\r\n\r\n--x\r\n"
        )
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(head.encode())
            answer = HTTPResponse(connection)  # which waits for the body: it need not come with the head
            answer.begin()
            body = answer.read().decode()
    assert answer.status == 408
    assert "upload-timeout" in body


def test_others_are_kept_out(classifier: Classifier, tmp_path: Path) -> None:
    with keeping(classifier, tmp_path, password="correct horse battery") as api:
        for response in (
            api.get("/v1/export"),
            api.post("/v1/import", files=as_zip(b"x")),
            api.get(f"/v1/people/{NOBODY}/report"),
        ):
            problem(response, 401, "access-required")
