"""The audit log: a line for each request to the records, whatever comes of it, and nothing of anybody in it but ids."""

from __future__ import annotations

import itertools
import json
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from visitors import KEY, PASSWORD, PASSWORD_HASH

from lesionlens import Classifier
from lesionlens.api.access.key_file import KeyEntry, format_entries
from lesionlens.api.access.keys import hash_key
from lesionlens.api.access.scopes import Scope
from serving import Program, Running, as_file, draw_lesion, encode, running, wait_until

PHOTO = encode(draw_lesion(), "JPEG")
SECRET = "Lovelace"  # stands wherever somebody may write something
OPEN = {"/v1/model", "/v1/model/card", "/v1/classes", "/v1/problems", "/v1/problems/{slug}", "/v1/tracker"} | {
    "/v1/session",
}
BEARER = {"Authorization": f"Bearer {KEY}"}
LATER = "2027-01-01T00:00:00Z"


class Audited:
    """A service that keeps records, and the file of its audit log."""

    def __init__(self, server: Running, path: Path) -> None:
        self.server = server
        self.path = path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def ask(self, method: str, path: str, *, status: int | None = None, **request: Any) -> httpx.Response:
        """Send a request with the key, unless other headers are given."""
        request.setdefault("headers", BEARER)
        answer = self.server.client.request(method, path, **request)
        if status is not None:
            assert answer.status_code == status, answer.text
        return answer

    def told(self, method: str, path: str, **request: Any) -> tuple[httpx.Response, dict[str, Any]]:
        """Send a request; return its answer and the one line that it made."""
        answer = self.ask(method, path, **request)

        def of_this() -> list[dict[str, Any]]:
            return [line for line in self.lines() if line["request_id"] == answer.headers["x-request-id"]]

        wait_until(of_this)  # it is written once the answer is on its way
        [line] = of_this()
        assert line["status"] == answer.status_code
        return answer, line


def ids_in(line: dict[str, Any]) -> set[str]:
    return set(itertools.chain.from_iterable(line["records"].values()))


def key_file(path: Path) -> Path:
    now = datetime.now(UTC)
    entries = [
        KeyEntry(name="phone", sha256=hash_key(KEY), created=now),
        KeyEntry(name="reader", sha256=hash_key("r"), scopes=(Scope.READ,), created=now),
        KeyEntry(name="old", sha256=hash_key("o"), created=now, expires=now - timedelta(days=1)),
    ]
    path.write_text(format_entries(entries))
    return path


@pytest.fixture(scope="module")
def audited(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    folder = tmp_path_factory.mktemp("audited")
    settings = {"password_hash": PASSWORD_HASH, "api_keys_file": key_file(folder / "keys")}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LESIONLENS_DATA_DIR", str(folder / "records"))
        with running(classifier, audit_log=folder / "audit.jsonl", **settings) as server:
            yield Audited(server, folder / "audit.jsonl")


def guarded_routes(service: Audited) -> set[tuple[str, str]]:
    paths = service.server.get("/openapi.json").json()["paths"]
    return {
        (method.upper(), path)
        for path, methods in paths.items()
        for method in methods
        if path.startswith("/v1/") and path not in OPEN and (method, path) != ("post", "/v1/analyses")
    }


class Records:
    """One of each, full of what must not be told."""

    def __init__(self, service: Audited) -> None:
        self._service = service
        self.person = self._made("/v1/people", json={"label": f"Ada {SECRET}", "note": SECRET})
        place = {"view": "back", "x": 0.5, "y": 0.25, "site": SECRET, "note": SECRET}
        self.lesion = self._made(f"/v1/people/{self.person}/lesions", json=place)
        self.other = self._made(f"/v1/people/{self.person}/lesions", json=place | {"x": 0.1})
        self.visit = self._visit("2026-01-01T12:00:00Z")
        self.later = self._visit("2026-04-01T12:00:00Z")
        [analysis] = service.ask("GET", f"/v1/visits/{self.visit}").json()["analyses"]
        self.analysis = analysis["id"]

    def _visit(self, day: str) -> str:
        form = {"taken_at": day, "note": SECRET}
        return self._made(f"/v1/lesions/{self.lesion}/visits", files=as_file(PHOTO, f"{SECRET}.jpg"), data=form)

    def _made(self, path: str, **request: Any) -> str:
        return str(self._service.ask("POST", path, status=201, **request).json()["id"])


def test_every_route_of_the_records_is_told_of_with_what_it_touched(audited: Audited) -> None:
    r = Records(audited)
    export = audited.ask("GET", f"/v1/export?person_id={r.person}").content
    person, lesion, visit = {"people": [r.person]}, {"lesions": [r.lesion]}, {"visits": [r.visit]}
    both = {"visits": [r.visit, r.later]} | lesion
    place = f"person_id={r.person}&view=back&x=0.5&y=0.25"
    pair = f"before={r.visit}&after={r.later}"
    steps: list[tuple[str, str, str, dict[str, Any], dict[str, list[str]]]] = [
        # method, route, path beyond the template, what else is sent, which records are told at least
        ("GET", "/v1/people", "", {}, person),
        ("POST", "/v1/people", "", {"json": {"label": SECRET}}, {}),
        ("GET", "/v1/people/{person_id}", "", {}, person),
        ("PATCH", "/v1/people/{person_id}", "", {"json": {"note": f"again {SECRET}"}}, person),
        ("GET", "/v1/lesions", f"?person_id={r.person}", {}, person | {"lesions": [r.lesion, r.other]}),
        ("GET", "/v1/lesions/near", f"?{place}", {}, person | lesion),
        ("GET", "/v1/lesions/due", f"?person_id={r.person}", {}, person),
        ("POST", "/v1/people/{person_id}/lesions", "", {"json": {"view": "head", "x": 0.5, "y": 0.2}}, person),
        ("GET", "/v1/lesions/{lesion_id}", "", {}, person | lesion),
        ("PATCH", "/v1/lesions/{lesion_id}", "", {"json": {"note": SECRET}}, person | lesion),
        ("GET", "/v1/lesions/{lesion_id}/timeline", "", {}, person | both),
        ("POST", "/v1/lesions/{lesion_id}/visits", "", {"files": as_file(PHOTO, f"{SECRET}.jpg")}, lesion),
        ("GET", "/v1/visits", f"?person_id={r.person}", {}, person | both),
        ("GET", "/v1/visits/{visit_id}", "", {}, visit | lesion),
        ("PATCH", "/v1/visits/{visit_id}", "", {"json": {"note": SECRET}}, visit),
        ("GET", "/v1/visits/{visit_id}/photo", "?side=64", {}, visit),
        ("POST", "/v1/visits/{visit_id}/analyses", "", {}, visit),
        ("GET", "/v1/analyses/{analysis_id}/maps", "", {}, {"analyses": [r.analysis]}),
        ("GET", "/v1/comparisons", f"?{pair}", {}, both),
        ("GET", "/v1/comparisons/picture", f"?{pair}&which=before", {}, both),
        ("GET", "/v1/export", f"?person_id={r.person}", {}, person),
        ("POST", "/v1/import", "", {"files": as_file(export, f"{SECRET}.zip")}, {}),
        ("GET", "/v1/people/{person_id}/report", "", {}, person),
        ("POST", "/v1/visits/{visit_id}/move", "", {"json": {"lesion_id": r.other}}, visit | {"lesions": [r.other]}),
        ("DELETE", "/v1/visits/{visit_id}", "", {}, visit),
        ("POST", "/v1/visits/{visit_id}/undelete", "", {}, visit),
        ("DELETE", "/v1/visits/{visit_id}", "", {}, visit),
        ("POST", "/v1/visits/{visit_id}/erase", "", {}, visit),
        ("DELETE", "/v1/lesions/{lesion_id}", "", {}, lesion),
        ("POST", "/v1/lesions/{lesion_id}/undelete", "", {}, lesion),
        ("DELETE", "/v1/lesions/{lesion_id}", "", {}, lesion),
        ("POST", "/v1/lesions/{lesion_id}/erase", "", {}, lesion),
        ("DELETE", "/v1/people/{person_id}", "", {}, person),
        ("POST", "/v1/people/{person_id}/undelete", "", {}, person),
        ("DELETE", "/v1/people/{person_id}", "", {}, person),
        ("POST", "/v1/people/{person_id}/erase", "", {}, person),
    ]
    assert {(method, route) for method, route, *_ in steps} == guarded_routes(audited), "a route without a line here"
    ids = {"person_id": r.person, "lesion_id": r.lesion, "visit_id": r.visit, "analysis_id": r.analysis}
    for method, route, beyond, sent, expected in steps:
        answer, line = audited.told(method, f"{route.format(**ids)}{beyond}", **sent)
        assert answer.status_code in (200, 201), (method, route, answer.text)
        assert (line["method"], line["route"]) == (method, route)
        assert (line["who"], line["granted"], line["client"]) == ("key:phone", True, "127.0.0.1")
        if "location" in answer.headers:
            made = answer.json()["id"]
            assert made in ids_in(line), (method, route, line)
        for kind, touched in expected.items():
            assert set(touched) <= set(line["records"].get(kind, [])), (method, route, line)
    assert SECRET not in audited.path.read_text()
    assert KEY not in audited.path.read_text()


def test_denied_requests_are_told_of_on_every_route(audited: Audited) -> None:
    identifier = "0197f000-0000-7000-8000-000000000000"
    for method, route in sorted(guarded_routes(audited)):
        path = re.sub(r"\{[^}]*\}", identifier, route)
        _, line = audited.told(method, path, headers={"Authorization": "Bearer made-up"})
        assert (line["who"], line["granted"], line["status"]) == ("denied", False, 401), line
        assert (line["method"], line["route"]) == (method, route)
        if "{" in route:
            assert identifier in ids_in(line)
    _, line = audited.told("GET", "/v1/people", headers={"Sec-Fetch-Site": "cross-site"})
    assert (line["who"], line["status"]) == ("denied", 403)


def test_a_key_that_may_not_or_has_ended_is_named(audited: Audited) -> None:
    for key, who, status in (("r", "key:reader", 403), ("o", "key:old", 401)):
        _, line = audited.told("POST", "/v1/people", json={"label": "x"}, headers={"Authorization": f"Bearer {key}"})
        assert (line["who"], line["granted"], line["status"]) == (who, False, status)


def test_a_session_is_told_apart_from_others_without_its_token(audited: Audited) -> None:
    signs = []
    for _ in range(2):
        login = audited.ask("POST", "/v1/session", json={"password": PASSWORD}, headers={}, status=204)
        for _ in range(2):
            _, line = audited.told("GET", "/v1/people", headers={})
            signs.append(line["who"])
        assert login.cookies["lesionlens"] not in audited.path.read_text()
        audited.server.client.cookies.clear()
    assert re.fullmatch(r"session:[0-9a-f]{8}", signs[0])
    assert signs[0] == signs[1] != signs[2] == signs[3]


def test_what_is_no_id_is_not_repeated(audited: Audited) -> None:
    for path in (f"/v1/people/{SECRET}", f"/v1/lesions?person_id={SECRET}", f"/v1/people?name={SECRET}"):
        answer, line = audited.told("GET", path)
        assert answer.status_code in (200, 404, 422)
        assert line["granted"] is True
    answer, line = audited.told("GET", "/v1/people/0197f000-0000-7000-8000-00000000000g")
    assert line["records"] == {}
    assert SECRET not in audited.path.read_text()


def test_what_is_not_of_the_records_is_not_told(audited: Audited) -> None:
    audited.told("GET", "/v1/people")
    before = audited.lines()
    for path in ("/v1/tracker", "/v1/model", "/", "/livez", "/metrics", "/v1/nothing"):
        audited.ask("GET", path)
    audited.ask("POST", "/v1/analyses", files=as_file(PHOTO))
    audited.ask("PUT", "/v1/people", status=405)
    audited.told("GET", "/v1/people")
    assert len(audited.lines()) == len(before) + 1


def test_a_line_has_these_fields_and_no_others(audited: Audited) -> None:
    _, line = audited.told("GET", "/v1/people")
    assert list(line) == [
        "time",
        "event",
        "request_id",
        "who",
        "granted",
        "client",
        "method",
        "route",
        "records",
        "status",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert abs((datetime.now(UTC) - datetime.fromisoformat(line["time"])).total_seconds()) < 60
    assert stat.S_IMODE(audited.path.stat().st_mode) == 0o600


def test_it_goes_on_in_a_new_file_after_rotation(audited: Audited) -> None:
    audited.told("GET", "/v1/people")
    old = audited.path.rename(audited.path.with_suffix(".1"))
    length = old.stat().st_size
    audited.ask("GET", "/v1/people")
    wait_until(audited.path.exists)
    wait_until(lambda: len(audited.lines()) == 1)
    assert old.stat().st_size == length
    assert stat.S_IMODE(audited.path.stat().st_mode) == 0o600


def test_a_full_disk_costs_lines_and_no_service(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path))
    with running(classifier, audit_log=full) as server:
        for _ in range(3):
            assert server.get("/v1/people").status_code == 200
    log = capsys.readouterr().out
    assert log.count("the audit log lacks lines") == 1
    assert log.count("/v1/people") >= 3  # and in the log itself they are all the same


def test_the_log_tells_it_too_and_without_a_password_it_is_the_machine_itself(tmp_path: Path) -> None:
    program = Program(
        LESIONLENS_DATA_DIR=str(tmp_path / "data"),
        LESIONLENS_LOG_FORMAT="json",
        LESIONLENS_AUDIT_LOG=str(tmp_path / "audit.jsonl"),
        **dict.fromkeys(("LESIONLENS_PASSWORD", "LESIONLENS_PASSWORD_HASH", "LESIONLENS_API_KEYS"), ""),
    )
    try:
        answer = httpx.get(f"{program.url()}/v1/people", timeout=60)
        assert answer.status_code == 200
    finally:
        program.end()
    [logged] = [line for line in map(json.loads, program.lines) if line.get("logger") == "lesionlens.audit"]
    [kept] = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert kept["who"] == "local"
    assert kept["request_id"] == answer.headers["x-request-id"]
    assert {name: logged[name] for name in kept if name != "time"} == {n: v for n, v in kept.items() if n != "time"}


def test_a_client_that_leaves_is_told_of(classifier: Classifier, tmp_path: Path) -> None:
    import socket

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LESIONLENS_DATA_DIR", str(tmp_path / "data"))
        with running(classifier, audit_log=tmp_path / "audit.jsonl", api_keys=f"phone={hash_key(KEY)}") as server:
            service = Audited(server, tmp_path / "audit.jsonl")
            person = service.ask("POST", "/v1/people", json={"label": "x"}, status=201).json()["id"]
            wait_until(lambda: len(service.lines()) == 1)
            address = server.url.removeprefix("http://").split(":")
            with socket.create_connection((address[0], int(address[1]))) as leaving:
                head = f"POST /v1/people/{person}/lesions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
                body = 'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"view":'
                leaving.sendall((head + body).encode())
            wait_until(lambda: len(service.lines()) == 2)
            line = service.lines()[1]
            assert (line["status"], line["granted"], line["records"]) == (499, True, {"people": [person]})
