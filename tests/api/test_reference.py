"""The API reference, as HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi import FastAPI

from lesionlens import DISCLAIMER
from lesionlens.api.pages import pages
from lesionlens.api.reference import reference
from serving import InMemory

REFERENCE = {"$ref": "#/components/schemas/Point"}
POINT = {
    "properties": {
        "x": {"type": "number", "description": "A share, `0` to `1`."},
        "names": {"type": "array", "items": {"$ref": "#/components/schemas/Name"}},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "when": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        "any": {},
        "list": {"type": "array"},
    },
    "examples": [{"x": 0.5, "text": "<i>"}],
}

UPLOAD = {"properties": {"file": {"type": "string"}}}


def api(**operation: Any) -> dict[str, Any]:
    """A description of one operation."""
    responses = {"200": {"description": "Done."}}
    return {
        "paths": {"/v1/points": {"post": {"responses": responses, **operation}}},
        "components": {"schemas": {"Point": POINT, "Name": {"type": "string"}}},
    }


class Text(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def text_of(page: str) -> str:
    """What a reader sees, each run of spaces as one."""
    parser = Text()
    parser.feed(page)
    return re.sub(r"\s+", " ", " ".join(parser.seen))


def answering(schema: dict[str, Any], status: str = "200") -> dict[str, Any]:
    return {status: {"description": "A point.", "content": {"application/json": {"schema": schema}}}}


@pytest.mark.parametrize("schema", [REFERENCE, {"type": "array", "items": REFERENCE}])
def test_members_are_told_with_their_types(schema: dict[str, Any]) -> None:
    text = text_of(reference(api(responses=answering(schema))))
    for expected in (
        "200 · application/json",
        "x number . A share, 0 to 1 .",
        "names list of Name",
        "counts object of integer by name",
        "when date-time or null",
        "any anything",
        "list list of anything",
    ):
        assert expected in text


def test_examples_are_shown_and_nothing_is_taken_for_html() -> None:
    page = reference(api(summary="a < b", responses=answering(REFERENCE)))
    assert "a &lt; b" in page
    assert "<i>" not in page
    assert '"text": "&lt;i&gt;"' in page


def test_failures_need_no_members() -> None:
    text = text_of(reference(api(responses=answering(REFERENCE, "422"))))
    assert "422 · application/json" in text
    assert "counts" not in text


def test_parameters_and_bodies_are_told() -> None:
    text = text_of(
        reference(
            api(
                tags=["Points"],
                description="Adds a `point`.",
                parameters=[
                    {"name": "dry", "in": "query", "description": "Only try."},
                    {"name": "id", "in": "path", "required": True},
                ],
                requestBody={"content": {"multipart/form-data": {"schema": UPLOAD}}},
            )
        )
    )
    for expected in (
        "Points POST /v1/points",
        "Adds a point .",
        "dry query, optional . Only try.",
        "id path, required",
        "Body · multipart/form-data file string",
    ):
        assert expected in text


def test_the_service_hands_it_out(tmp_path: Any) -> None:
    app = FastAPI(docs_url=None)
    app.include_router(pages(tmp_path))

    @app.get("/points/{key}")
    def points(key: str, dry: bool = False) -> dict[str, str]:
        """Say where a point is."""
        return {"key": key, "dry": str(dry)}

    response = InMemory(app).get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    text = text_of(response.text)
    assert DISCLAIMER in text
    assert "GET /points/{key} Points Say where a point is." in text
