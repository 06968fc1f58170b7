"""Records of a real service for the tests of the Body and Lesion views."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drawn_lesions import ellipse, photograph
from lesionlens import Classifier
from serving import TIMEOUT, Running, encode, running

PERSON_KEY = "lesionlens.person"
PHOTO = encode(photograph(ellipse((360, 300), (180, 150), (70, 52), 20), seed=3), "JPEG", quality=92)


class Kept:
    """A running service with records, and short ways to make some."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.url = server.url

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask the service; anything but success fails the test."""
        response = self.server.client.request(method, f"/v1/{path}", **options)
        assert response.is_success, response.text
        return response.json()

    def person(self, label: str = "Ada", **fields: Any) -> str:
        """Add a person; returns the id."""
        return str(self.ask("POST", "people", json={"label": label, **fields})["id"])

    def lesion(self, person: str, view: str = "front", x: float = 0.7, y: float = 0.22, **fields: Any) -> str:
        """Pin a lesion; returns the id."""
        place = {"view": view, "x": x, "y": y, **fields}
        return str(self.ask("POST", f"people/{person}/lesions", json=place)["id"])

    def deleted(self, kind: str, **of: str) -> list[str]:
        """Ids of the deleted records of a kind."""
        return [item["id"] for item in self.ask("GET", kind, params={"deleted": "only", "limit": 500, **of})["items"]]

    def visit(self, lesion: str, taken_at: str, photo: bytes = PHOTO, **fields: str) -> Any:
        """Keep a photo; returns the visit."""
        return self.ask(
            "POST",
            f"lesions/{lesion}/visits",
            files={"file": ("photo.jpg", photo, "image/jpeg")},
            data={"id": str(uuid.uuid4()), "taken_at": taken_at, **fields},
        )


@contextmanager
def keeping(classifier: Classifier, folder: Path) -> Iterator[Kept]:
    """Serve with the records of a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESIONLENS_DATA_DIR", str(folder))
        with running(classifier) as server:
            yield Kept(server)


def open_view(visit: Callable[..., Any], kept: Kept, path: str, person: str | None = None, **options: Any) -> Any:
    """Open a part of the page as somebody who chose that person before; returns the page and what it said."""
    visited = visit(kept.server, **options)
    visited.page.set_default_timeout(1000 * TIMEOUT)
    if person is not None:
        visited.page.evaluate("([key, id]) => localStorage.setItem(key, id)", [PERSON_KEY, person])
    visited.page.goto(f"{kept.url}/{path}")
    return visited


def assert_kept_to_itself(visited: Any, kept: Kept) -> None:
    """The page asked no other host, and complained of nothing."""
    elsewhere = [url for url in visited.requested if not url.startswith((kept.url, "blob:", "data:"))]
    assert elsewhere == []
    assert visited.complaints == []
