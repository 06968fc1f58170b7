"""Failures under `/v1` are RFC 9457 problem documents."""

from __future__ import annotations

from typing import Any

import pytest

from lesionlens import Classifier
from serving import FailingEngine, Running, as_file, behind, draw_lesion, encode, running

PHOTO = encode(draw_lesion())


def assert_problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["type"] == f"/v1/problems/{slug}"
    assert problem["instance"] == response.request.url.path
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("data", "status", "slug"),
    [
        (b"", 400, "empty-image"),
        (b"plain text", 415, "unsupported-image"),
        (PHOTO[:2000], 422, "corrupt-image"),
    ],
)
def test_unusable_photos(server: Running, data: bytes, status: int, slug: str) -> None:
    assert_problem(server.post("/v1/analyses", files=as_file(data)), status, slug)


def test_missing_file(server: Running) -> None:
    problem = assert_problem(server.post("/v1/analyses"), 400, "missing-file")
    assert "'file'" in problem["detail"]


def test_too_many_pixels(classifier: Classifier) -> None:
    with running(classifier, max_pixels=10_000) as server:
        problem = assert_problem(server.post("/v1/analyses", files=as_file(PHOTO)), 413, "too-many-pixels")
        assert "10,000" in problem["detail"]
        contract = server.post("/predict", files=as_file(PHOTO))
        assert contract.status_code == 413
        assert list(contract.json()) == ["error"]


def test_every_type_leads_to_its_description(server: Running) -> None:
    kinds = server.get("/v1/problems").json()
    assert len(kinds) >= 10
    for kind in kinds:
        assert server.get(kind["type"]).json() == kind


def test_unknown_type(server: Running) -> None:
    assert_problem(server.get("/v1/problems/hunger"), 404, "not-found")


@pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/v1/analyses/7", "/predict/", "/static/nothing.js"])
def test_unknown_paths(server: Running, path: str) -> None:
    assert_problem(server.get(path), 404, "not-found")


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/api/app.py", "/static/..%2f..%2fpyproject.toml"])
def test_files_beside_the_page_are_not_served(server: Running, path: str) -> None:
    assert server.get(path).status_code == 404


def test_wrong_method_names_the_right_one(server: Running) -> None:
    response = server.get("/v1/analyses")
    problem = assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "POST"
    assert problem["detail"] == "GET is not allowed here; accepted: POST."
    contract = server.get("/predict")
    assert contract.status_code == 405
    assert contract.json() == {"error": "GET is not allowed here; accepted: POST."}


def test_a_failing_engine_is_a_500_without_details_and_the_service_lives_on(
    classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    model, engine = behind(FailingEngine, classifier)
    with running(model) as server:
        engine.gate.clear()
        origin = {"Origin": "https://skintracker.example"}
        response = server.post("/v1/analyses", files=as_file(PHOTO), headers=origin)
        problem = assert_problem(response, 500, "internal")
        assert "secret" not in problem["detail"]
        assert response.headers["access-control-allow-origin"] == "*"
        contract = server.post("/predict", files=as_file(PHOTO))
        assert contract.status_code == 500
        assert list(contract.json()) == ["error"]
        engine.gate.set()
        assert server.post("/predict", files=as_file(PHOTO)).status_code == 200
    assert response.headers["x-request-id"] in capsys.readouterr().out


def test_parameters_are_validated_as_problems(classifier: Classifier) -> None:
    def square(number: int) -> int:
        return number**2

    with running(classifier, extend=lambda app: app.add_api_route("/v1/squares/{number}", square)) as server:
        assert server.get("/v1/squares/3").json() == 9
        problem = assert_problem(server.get("/v1/squares/three"), 422, "invalid-parameter")
    assert problem["errors"][0]["parameter"] == "number"
    assert problem["detail"].startswith("number: ")
