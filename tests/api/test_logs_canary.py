"""Nothing of a photo and no file name reaches the log, at any level: canaries are sent, and the log is searched."""

from __future__ import annotations

import base64
import io
import json
import logging
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from lesionlens import Classifier
from lesionlens.api.logs import configure_logging
from lesionlens.settings import load_settings
from serving import FailingEngine, Program, Running, as_file, behind, draw_lesion, encode, running, wait_until

CANARY = "Jane-Canary-Doe"
NAME = f"{CANARY}-left-arm.tiff"
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")


def marked(file_format: str) -> bytes:
    """A photo that says whose skin it shows, in as many places as its format has."""
    exif = Image.Exif()
    exif[0x010E] = f"{CANARY} description"
    exif[0x013B] = f"{CANARY} artist"
    options: dict[str, Any] = {"exif": exif}
    if file_format == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Comment", CANARY)
        options["pnginfo"].add_itxt("Title", CANARY)
    elif file_format == "JPEG":
        options["comment"] = CANARY.encode()
    elif file_format == "TIFF":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[270] = tags[305] = tags[315] = CANARY
        options = {"tiffinfo": tags, "compression": "tiff_lzw"}
    options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + CANARY.encode()
    return encode(draw_lesion(), file_format, **options)


def send_all(client: httpx.Client) -> list[int]:
    """Send canaries in every way in which a photo can be sent; returns the statuses."""
    statuses = []
    for file_format in FORMATS:
        data = marked(file_format)
        assert CANARY.encode() in data
        damaged = data[:-200] + CANARY.encode()
        for path in ("/predict", "/v1/analyses?maps=top&overlay=top"):
            photos = (data, damaged, data[: len(data) // 2], CANARY.encode() * 50, b"")
            statuses += [client.post(path, files=as_file(photo, NAME)).status_code for photo in photos]
        form = {CANARY: CANARY, "note": CANARY}
        statuses.append(client.post("/v1/analyses", files=as_file(data, NAME), data=form).status_code)
        statuses.append(client.post("/v1/analyses", files={CANARY: (NAME, data, CANARY)}).status_code)
    statuses.append(client.post(f"/v1/{CANARY}", content=CANARY.encode()).status_code)
    statuses.append(client.get(f"/v1/lesions?{CANARY}={CANARY}").status_code)
    return statuses


def assert_silent(log: str) -> None:
    """Neither the canary nor its usual disguises stand in a log that has lines."""
    assert log.count("answered") > 20
    for disguise in (
        CANARY,
        CANARY.encode().hex(),
        base64.b64encode(CANARY.encode()).decode().rstrip("="),
        repr(CANARY.encode("utf-16-be"))[2:-1],
        "IHDR",
        "\\x89PNG",
        "\\xff\\xd8",
    ):
        assert disguise not in log, next(line for line in log.splitlines() if disguise in line)[:300]


@pytest.fixture
def _keep_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, filters = root.handlers, root.level, warnings.filters[:]
    yield
    root.handlers = handlers
    root.setLevel(level)
    warnings.filters[:] = filters
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_lesionlens_serve_logs_nothing_of_a_photo(log_format: str, tmp_path: Path) -> None:
    program = Program(
        LESIONLENS_LOG_LEVEL="debug", LESIONLENS_LOG_FORMAT=log_format, LESIONLENS_DATA_DIR=str(tmp_path / "records")
    )
    try:
        with httpx.Client(base_url=program.url(), timeout=60) as client:
            wait_until(lambda: client.get("/readyz").status_code == 200)
            statuses = send_all(client)
            keep_a_marked_photo(client)
    finally:
        assert program.end() == -signal.SIGTERM  # it finishes in order, then ends as it was told
    assert {200, 400, 404, 415, 422} <= set(statuses)
    assert max(statuses) < 500
    assert_silent("".join(program.lines))
    if log_format == "json":  # warnings of libraries are no lines of their own among them
        assert all(json.loads(line) for line in program.lines if line.startswith("{"))
    assert not any("Warning" in line for line in program.lines)


def keep_a_marked_photo(client: httpx.Client) -> None:
    """Record a visit with a marked photo, and have everything done with it that can be."""
    person = client.post("/v1/people", json={"label": CANARY, "note": CANARY}).json()["id"]
    lesion = client.post(f"/v1/people/{person}/lesions", json={"view": "back", "x": 0.5, "y": 0.5, "note": CANARY})
    visits = [
        client.post(
            f"/v1/lesions/{lesion.json()['id']}/visits", files=as_file(marked(each), NAME), data={"note": CANARY}
        )
        for each in ("JPEG", "TIFF")
    ]
    assert [visit.status_code for visit in visits] == [201, 201]
    first, second = (visit.json()["id"] for visit in visits)
    assert client.get(f"/v1/visits/{first}/photo?side=64").status_code == 200
    assert client.get(f"/v1/comparisons?before={first}&after={second}").status_code == 200
    assert client.get(f"/v1/people/{person}/report").status_code == 200
    archive = client.get("/v1/export").content
    assert client.post("/v1/import", files=as_file(archive, NAME)).status_code == 200
    assert client.post("/v1/import", files=as_file(archive[:-300] + CANARY.encode(), NAME)).status_code == 422


@pytest.mark.usefixtures("_keep_logging")
def test_a_failure_logs_nothing_of_a_photo(classifier: Classifier) -> None:
    stream = io.StringIO()
    configure_logging(load_settings(log_level="debug"), stream)
    model, engine = behind(FailingEngine, classifier)
    with running(model) as server:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        statuses = [_post_marked(server, file_format) for file_format in FORMATS for _ in range(6)]
    assert set(statuses) == {500}
    assert "EngineError" in stream.getvalue()  # it does say what failed
    assert_silent(stream.getvalue())


def _post_marked(server: Running, file_format: str) -> int:
    return server.post("/v1/analyses", files=as_file(marked(file_format), NAME)).status_code
