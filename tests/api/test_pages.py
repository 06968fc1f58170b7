"""The files of the page, as the service hands them out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from fastapi import FastAPI

from lesionlens.api.app import WEB_FOLDER
from lesionlens.api.pages import PageFiles, pages, shell
from lesionlens.version import __version__
from serving import InMemory


@pytest.fixture
def client(tmp_path: Path) -> InMemory:
    """A client of a service of a page of three files."""
    for name, text in {
        "index.html": "<p>",
        "sw.js": "// worker",
        "manifest.webmanifest": "{}",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "body").mkdir()
    (tmp_path / "body" / "view.js").write_text("export {};\n" * 40)
    app = FastAPI()
    app.include_router(pages(tmp_path))
    app.mount("/static", PageFiles(directory=tmp_path))
    return InMemory(app)


def test_the_worker_is_told_which_files_open_the_page(client: InMemory) -> None:
    response = client.get("/sw.js")
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["cache-control"] == "no-cache"
    first, rest = response.text.split("\n", 1)
    told = json.loads(first.removeprefix("const SHELL = ").removesuffix(";"))
    assert told["files"] == ["./", "manifest.webmanifest", "static/body/view.js"]
    assert told["version"].startswith(f"{__version__}-")
    assert rest == "// worker"


def test_its_version_changes_with_any_file_and_only_then(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    (tmp_path / "b.js").write_text("2")
    first = shell(tmp_path)["version"]
    assert shell(tmp_path)["version"] == first
    (tmp_path / "b.js").write_text("3")
    second = shell(tmp_path)["version"]
    (tmp_path / "b.js").rename(tmp_path / "c.js")
    assert len({first, second, shell(tmp_path)["version"]}) == 3


def test_every_file_of_the_shell_is_there() -> None:
    for name in shell(WEB_FOLDER)["files"][2:]:
        assert (WEB_FOLDER / name.removeprefix("static/")).is_file()


def test_files_travel_compressed(client: InMemory, tmp_path: Path) -> None:
    plain = client.get("/static/body/view.js", headers={"Accept-Encoding": "identity"})
    packed = client.get("/static/body/view.js", headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, mtime=0))
    assert packed.headers["content-type"] == plain.headers["content-type"]
    for response in (plain, packed):
        assert response.headers["vary"] == "Accept-Encoding"
        assert response.headers["cache-control"] == "no-cache"
    again = client.get("/static/body/view.js", headers={"If-None-Match": packed.headers["etag"]})
    assert again.status_code == 304
    part = client.get("/static/body/view.js", headers={"Range": "bytes=0-5", "Accept-Encoding": "gzip"})
    assert (part.status_code, part.content) == (206, plain.content[:6])


def test_a_file_that_was_edited_is_compressed_anew(client: InMemory, tmp_path: Path) -> None:
    assert client.get("/static/body/view.js").text.startswith("export")
    (tmp_path / "body" / "view.js").write_text("// another")
    assert client.get("/static/body/view.js").text == "// another"


def test_what_is_not_there_is_not_found(client: InMemory) -> None:
    assert client.get("/static/gone.js").status_code == 404
