"""What an API key may do: by its scopes on every route, told in the words of RFC 6750."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from visitors import PASSWORD, PASSWORD_HASH, Visitor, guarded, slug

from lesionlens import Classifier
from lesionlens.api.access.key_file import KeyEntry, format_entries
from lesionlens.api.access.keys import hash_key
from lesionlens.api.access.scopes import Scope
from lesionlens.errors import SettingsError
from serving import Running, as_file, draw_lesion, encode, running

ID = "0197f000-0000-7000-8000-000000000000"
OTHER_PATHS = {"/v1/analyses", "/v1/model", "/v1/model/card", "/v1/classes", "/v1/problems", "/v1/problems/{slug}"} | {
    "/v1/tracker",
    "/v1/session",
}
NAMES = {scope: f"only-{scope.replace(':', '-')}" for scope in Scope}


def keys_with_one_scope_each(path: Path) -> Path:
    """A file with a key for each scope, which is called as the scope is, and one without scopes, `everything`."""
    made = {name: (scope,) for scope, name in NAMES.items()} | {"everything": None}
    entries = [
        KeyEntry(name=name, sha256=hash_key(name), scopes=scopes, created=datetime.now(UTC))
        for name, scopes in made.items()
    ]
    path.write_text(format_entries(entries))
    return path


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keys_with_one_scope_each(tmp_path_factory.mktemp("scopes") / "keys")


@pytest.fixture(scope="module")
def service(classifier: Classifier, key_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LESIONLENS_DATA_DIR", str(tmp_path_factory.mktemp("records")))
        settings = {"password_hash": PASSWORD_HASH, "api_keys_file": key_file}
        with running(classifier, protect_predict=True, protect_metrics=True, **settings) as server:
            yield server


def needed(method: str, path: str) -> Scope:
    """Which scope a route of the records needs, said once more and otherwise than the service does."""
    if path == "/v1/export":
        return Scope.EXPORT
    return Scope.READ if method == "get" else Scope.WRITE


def refused(answer: httpx.Response, scope: Scope, key: str) -> None:
    assert answer.status_code == 403, answer.text
    assert slug(answer) == "insufficient-scope"
    expected = f'Bearer realm="LesionLens", error="insufficient_scope", scope="{scope}"'
    assert answer.headers["www-authenticate"] == expected
    assert f"{key!r} lacks the scope '{scope}'" in answer.json()["detail"]


def test_every_route_of_the_records_needs_its_scope_and_no_other(service: Running) -> None:
    paths = service.get("/openapi.json").json()["paths"]
    routes = [(m, p) for p, methods in paths.items() for m in methods if p.startswith("/v1/") and p not in OTHER_PATHS]
    assert len(routes) >= 30
    assert {needed(*route) for route in routes} == {Scope.READ, Scope.WRITE, Scope.EXPORT}
    for method, path in routes:
        scope, address = needed(method, path), re.sub(r"\{[^}]*\}", ID, path)
        for other, name in NAMES.items():
            answer = service.client.request(method, address, headers=bearer(name))
            if other == scope:
                assert answer.status_code not in (401, 403, 500, 503), (method, path, answer.text)
            else:
                refused(answer, scope, name)
        if (method, path) != ("get", "/v1/export"):
            answer = service.client.request(method, address, headers=bearer("everything"))
            assert answer.status_code not in (401, 403, 500, 503), (method, path, answer.text)


def test_analysing_needs_analyse_where_it_is_protected(service: Running) -> None:
    photo = as_file(encode(draw_lesion(), "JPEG"))
    for name in ("everything", NAMES[Scope.ANALYSE]):
        assert service.post("/predict", files=photo, headers=bearer(name)).status_code == 200
        assert service.post("/v1/analyses", files=photo, headers=bearer(name)).status_code == 200
    for scope in set(Scope) - {Scope.ANALYSE}:
        refused(service.post("/v1/analyses", files=photo, headers=bearer(NAMES[scope])), Scope.ANALYSE, NAMES[scope])
        answer = service.post("/predict", files=photo, headers=bearer(NAMES[scope]))
        assert answer.status_code == 403
        assert list(answer.json()) == ["error"]  # as the contract has it
        assert 'scope="analyse"' in answer.headers["www-authenticate"]


def test_metrics_need_metrics_where_they_are_protected(service: Running) -> None:
    assert service.get("/metrics").status_code == 401
    for name in ("everything", NAMES[Scope.METRICS]):
        assert "lesionlens_requests_total" in service.get("/metrics", headers=bearer(name)).text
    for scope in set(Scope) - {Scope.METRICS}:
        refused(service.get("/metrics", headers=bearer(NAMES[scope])), Scope.METRICS, NAMES[scope])
    assert service.post("/v1/session", json={"password": PASSWORD}).status_code == 204
    assert service.get("/metrics").status_code == 200
    service.client.cookies.clear()
    for path in ("/livez", "/readyz", "/health"):
        assert service.get(path).status_code == 200


def test_only_a_key_that_may_read_is_told_how_much_there_is(service: Running) -> None:
    for name, granted in ((NAMES[Scope.READ], True), ("everything", True), (NAMES[Scope.WRITE], False)):
        state = service.get("/v1/tracker", headers=bearer(name)).json()
        assert state["access"]["granted"] is granted
        assert (state["counts"] is not None) is granted


def test_the_reference_tells_of_both_ways_to_be_refused(service: Running) -> None:
    told = service.get("/openapi.json").json()["paths"]["/v1/people"]["get"]["responses"]["403"]["description"]
    assert "insufficient-scope" in told
    assert "access-refused" in told


def test_by_default_the_metrics_are_open() -> None:
    assert Visitor(guarded(password_hash=PASSWORD_HASH)).get("/metrics").status_code == 200


def test_metrics_without_a_password_are_for_the_machine_itself() -> None:
    app = guarded(protect_metrics=True)
    assert Visitor(app).get("/metrics").status_code == 200
    assert Visitor(app, client=("203.0.113.9", 40000)).get("/metrics").status_code == 403


def test_metrics_cannot_be_closed_to_everybody() -> None:
    with pytest.raises(SettingsError, match=r"LESIONLENS_PROTECT_METRICS is on.*LESIONLENS_API_KEYS_FILE"):
        guarded(protect_metrics=True, host="0.0.0.0")


def test_a_key_that_may_not_is_refused_even_beside_a_session(key_file: Path) -> None:
    visitor = Visitor(guarded(password_hash=PASSWORD_HASH, api_keys_file=key_file))
    visitor.log_in()
    assert visitor.post().status_code == 200
    refused(visitor.post(headers=bearer(NAMES[Scope.READ])), Scope.WRITE, NAMES[Scope.READ])


def test_head_is_reading(service: Running) -> None:
    assert service.client.head("/v1/people", headers=bearer(NAMES[Scope.READ])).status_code == 200
    assert service.client.head("/v1/people", headers=bearer(NAMES[Scope.WRITE])).status_code == 403
