"""What docs/api.md and the reference show of the tracker is what the service does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tracker_client import TrackerClient, picture

from lesionlens.api.schemas import tracker as schemas
from lesionlens.imaging import decode
from serving import encode

HOST = "http://127.0.0.1:5000"
SHOWN = ("AddedVisit", "AnalysisMaps", "Comparison", "Erased", "Lesion", "Person", "TrackerStatus", "Visit")


@pytest.fixture(scope="module")
def section(repo_root: Path) -> str:
    """The part of docs/api.md about records."""
    page = (repo_root / "docs" / "api.md").read_text(encoding="utf-8")
    return page.split("\n## The record of every lesion\n")[1].split("\n## ")[0]


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl, which is not installed")
def test_the_commands_shown_work(api: TrackerClient, section: str, tmp_path: Path) -> None:
    for seed, name in enumerate(("january.jpg", "april.jpg")):
        (tmp_path / name).write_bytes(encode(picture(60 + seed, 11 + seed).resize((640, 512)), "JPEG"))
    stands_for = {HOST: api.server.url}
    commands = "".join(blocks(section, "console")).replace("\\\n", "").splitlines()
    for command in commands:
        for word, meant in stands_for.items():
            command = re.sub(rf"\b{word}\b", meant, command)
        done = subprocess.run(
            ["bash", "-c", command.replace("curl", "curl -sS --fail-with-body", 1)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
        if " -d " in command or " -F " in command:
            stands_for |= named(json.loads(done.stdout), stands_for)
    assert len(commands) >= 20
    sizes = [decode((tmp_path / f"{name}.jpg").read_bytes()).image.size for name in ("small", "april")]
    assert sizes == [(320, 256), (640, 512)]
    assert {"PERSON", "LESION", "EARLIER", "LATER", "ANALYSIS"} < set(stands_for)


def named(record: dict[str, Any], known: dict[str, str]) -> dict[str, str]:
    """What the words in capitals stand for from now on."""
    if "label" in record:
        return {"PERSON": record["id"]}
    if "view" in record:
        return {"LESION": record["id"]}
    return {"LATER" if "EARLIER" in known else "EARLIER": record["id"], "ANALYSIS": record["analyses"][0]["id"]}


def test_every_route_of_the_table_exists(api: TrackerClient, section: str) -> None:
    paths: dict[str, Any] = api.get("/openapi.json").json()["paths"]
    there = {(method.upper(), re.sub(r"\{\w+\}", "{id}", path)) for path in paths for method in paths[path]}
    shown: set[tuple[str, str]] = set()
    for cell in re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE):
        methods: list[str] = []
        for code in re.findall(r"`(.*?)`", cell):
            method, _, path = code.partition(" ")
            methods = [*methods, method] if methods or not path else [method]
            if path.startswith("/"):
                shown |= {(each, path) for each in methods}
                methods = []
            elif path:
                below = path.removeprefix("…")
                shown |= {(method, f"/v1/{kind}{below}") for kind in ("people", "lesions", "visits")}
                methods = []
    assert shown <= there
    tagged = {
        (method.upper(), re.sub(r"\{\w+\}", "{id}", path))
        for path in paths
        for method in paths[path]
        if set(paths[path][method]["tags"]) & {"People", "Lesions", "Visits", "Change"}
    }
    assert tagged <= shown


def test_the_lesion_shown_has_the_form_of_a_real_one(api: TrackerClient, section: str) -> None:
    shown = json.loads(blocks(section, "json")[0])
    lesion = api.lesion()
    api.visit(lesion["id"])
    real = api.get(f"/v1/lesions/{lesion['id']}").json()
    assert set(shown) == set(real)
    assert list(shown["latest"]) == list(real["latest"])
    schemas.Lesion.model_validate(shown)


def test_the_refusal_shown_is_the_real_one(api: TrackerClient, section: str) -> None:
    shown = json.loads(blocks(section, "json")[1])
    real = api.post("/v1/people", json={"label": "Ada", "skin_type": 7}).json()
    assert shown | {"request_id": ""} == real | {"request_id": ""}


@pytest.mark.parametrize("name", SHOWN)
def test_the_examples_of_the_reference_are_whole(name: str) -> None:
    model: type[BaseModel] = getattr(schemas, name)
    [example] = model.model_json_schema()["examples"]
    assert set(example) == set(model.model_fields)
    assert json.loads(model.model_validate(example).model_dump_json()).keys() == example.keys()
