"""Every route under `/v1` is guarded but for those listed here, whoever adds one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from visitors import KEY, KEYS, PASSWORD_HASH

from lesionlens import Classifier
from serving import Running, running

OPEN = {
    ("post", "/v1/analyses"),
    ("get", "/v1/model"),
    ("get", "/v1/model/card"),
    ("get", "/v1/classes"),
    ("get", "/v1/problems"),
    ("get", "/v1/problems/{slug}"),
    ("get", "/v1/tracker"),
    ("post", "/v1/session"),
    ("delete", "/v1/session"),
}
ID = "0197f000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def service(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LESIONLENS_DATA_DIR", str(tmp_path_factory.mktemp("records")))
        with running(classifier, password_hash=PASSWORD_HASH, api_keys=KEYS) as server:
            yield server


@pytest.fixture(scope="module")
def guarded_routes(service: Running) -> list[tuple[str, str]]:
    described = service.get("/openapi.json").json()["paths"]
    found = {(method, path) for path, methods in described.items() if path.startswith("/v1/") for method in methods}
    return sorted(found - OPEN)


def test_no_record_is_given_out_without_access(service: Running, guarded_routes: list[tuple[str, str]]) -> None:
    assert len(guarded_routes) >= 30
    for method, path in guarded_routes:
        address = re.sub(r"\{[^}]*\}", ID, path)
        answer = service.client.request(method, address)
        assert answer.status_code == 401, (method, path, answer.text)
        assert answer.json()["type"] == "/v1/problems/access-required", (method, path)


def test_other_sites_get_nothing_either(service: Running, guarded_routes: list[tuple[str, str]]) -> None:
    for method, path in guarded_routes:
        address = re.sub(r"\{[^}]*\}", ID, path)
        answer = service.client.request(method, address, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403, (method, path, answer.text)


def test_with_a_key_the_guard_lets_all_of_them_through(service: Running, guarded_routes: list[tuple[str, str]]) -> None:
    for method, path in guarded_routes:
        if "/export" in path or "/import" in path:
            continue  # they answer at length, and have tests of their own
        address = re.sub(r"\{[^}]*\}", ID, path)
        answer = service.client.request(method, address, headers={"Authorization": f"Bearer {KEY}"})
        assert answer.status_code not in (401, 403, 500, 503), (method, path, answer.text)


def test_the_reference_says_how_to_get_in(service: Running, guarded_routes: list[tuple[str, str]]) -> None:
    reference = service.get("/openapi.json").json()
    assert set(reference["components"]["securitySchemes"]) == {"ApiKey", "Session"}
    for method, path in guarded_routes:
        assert reference["paths"][path][method].get("security"), (method, path)
    for method, path in OPEN & {(m, p) for p, methods in reference["paths"].items() for m in methods}:
        assert "security" not in reference["paths"][path][method]
