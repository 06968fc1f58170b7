"""What was mended because the description and the service said different things: one test for each."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from lesionlens import Classifier
from lesionlens.api.uploads import read_form
from lesionlens.settings import Settings
from serving import Running, running


@pytest.fixture(scope="module")
def service(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LESIONLENS_DATA_DIR", str(tmp_path_factory.mktemp("records")))
        with running(classifier) as server:
            yield server


@pytest.fixture(scope="module")
def described(service: Running) -> dict[str, Any]:
    paths: dict[str, Any] = service.get("/openapi.json").json()["paths"]
    return paths


def send(service: Running, text: str) -> Any:
    return service.post("/v1/people", content=text, headers={"Content-Type": "application/json"})


def test_a_whole_number_may_be_written_with_a_point(service: Running) -> None:
    made = send(service, '{"label": "Ada", "birth_year": 1980.0, "skin_type": 2.0e0}')
    assert made.status_code == 201
    assert (made.json()["birth_year"], made.json()["skin_type"]) == (1980, 2)


@pytest.mark.parametrize("number", ["2.5", "1e400", "-1e400", "1e308"])
def test_but_no_other_number(service: Running, number: str) -> None:
    refused = send(service, f'{{"label": "Ada", "skin_type": {number}}}')
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "skin_type"


@pytest.mark.parametrize("path", ["/v1/lesions/near", "/v1/lesions/due", "/v1/comparisons/picture"])
def test_allow_names_the_methods_of_a_path_and_not_those_of_one_with_an_id(
    service: Running, described: dict[str, Any], path: str
) -> None:
    answer = service.client.request("OPTIONS", path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == ", ".join(sorted(method.upper() for method in described[path])) == "GET"


def test_allow_names_all_methods_of_a_path_with_an_id(service: Running) -> None:
    answer = service.client.request("OPTIONS", "/v1/lesions/0197f000-0000-7000-8000-000000000000")
    assert answer.headers["allow"] == "DELETE, GET, PATCH"


def test_forms_have_no_nulls(described: dict[str, Any]) -> None:
    body = described["/v1/lesions/{lesion_id}/visits"]["post"]["requestBody"]
    fields = body["content"]["multipart/form-data"]["schema"]["properties"]
    assert set(fields) == {"file", "id", "taken_at", "note", "analyse"}
    assert all("anyOf" not in field and field["type"] in ("string", "boolean") for field in fields.values())
    assert fields["taken_at"]["format"] == "date-time"


def test_texts_and_ids_are_described_as_they_are_checked(service: Running, described: dict[str, Any]) -> None:
    content = described["/v1/people"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    label, own_id = content["label"]["pattern"], content["id"]["pattern"]
    for text, is_right in (
        ("Ada", True),
        (" Ada ", True),
        ("", False),
        (" ", False),
        ("A\nda", False),
        ("\x7f", False),
    ):
        assert bool(re.search(label, text)) == is_right, text
        assert (service.post("/v1/people", json={"label": text}).status_code == 201) == is_right, text
    for given, is_right in (("0197f000-0000-7000-8000-00000000000a", True), ("0197F000", False), ("", False)):
        assert bool(re.search(own_id, given)) == is_right, given
        assert (service.post("/v1/people", json={"label": "A", "id": given}).status_code == 201) == is_right, given


def test_the_file_of_a_form_that_ends_within_it_is_closed() -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nbegun'
    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop(0)

    async def read() -> None:
        request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
        with pytest.raises(Exception, match="no file part named 'file'"):
            await read_form(request, Settings())

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(read())
    assert [str(each.message) for each in told] == []
