"""What the tests of the tracker's routes share."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from drawn_lesions import ellipse, photograph
from lesionlens import Classifier
from serving import Running, as_file, encode, running

NEW_ID = "5f0e8a44-3c1d-4a8e-9d53-0c9a4c2f7b6"  # and a digit
NOBODY = "00000000-0000-4000-8000-000000000000"


class TrackerClient:
    """A client of a running service, with what most tests begin with."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.get = server.get
        self.post = server.post
        self.patch = server.client.patch
        self.delete = server.client.delete

    def person(self, **fields: Any) -> dict[str, Any]:
        return self.made("/v1/people", json={"label": "Ada"} | fields)

    def lesion(self, person_id: str | None = None, **fields: Any) -> dict[str, Any]:
        place = {"view": "back", "x": 0.5, "y": 0.25} | fields
        return self.made(f"/v1/people/{person_id or self.person()['id']}/lesions", json=place)

    def visit(self, lesion_id: str, photo: bytes | None = None, **fields: str) -> dict[str, Any]:
        return self.made(f"/v1/lesions/{lesion_id}/visits", files=as_file(photo or drawn()), data=fields)

    def made(self, path: str, **request: Any) -> dict[str, Any]:
        response = self.post(path, **request)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer


def problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Return the problem document of a failure, after a look at its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["type"] == f"/v1/problems/{slug}"
    assert document["status"] == status
    return document


@contextlib.contextmanager
def keeping(classifier: Classifier, data_dir: Path, **settings: Any) -> Iterator[TrackerClient]:
    """Run a service that keeps its records in a folder."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LESIONLENS_DATA_DIR", str(data_dir))
        with running(classifier, **settings) as server:
            yield TrackerClient(server)


@cache
def drawn(radius: float = 60.0, seed: int = 3) -> bytes:
    """A photo of a drawn lesion, as a PNG file."""
    return encode(picture(radius, seed))


@cache
def picture(radius: float = 60.0, seed: int = 3) -> Image.Image:
    """A drawn lesion of 320 × 256 pixels."""
    return photograph(ellipse((320, 256), (160.0, 128.0), (radius, 0.7 * radius), 20.0), seed)


def opened(response: httpx.Response) -> Image.Image:
    """Return the picture that was answered."""
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))
