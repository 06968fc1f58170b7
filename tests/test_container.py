"""The container's recipe, as far as it can be checked without a container engine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest

from lesionlens import Classifier
from lesionlens.settings import Settings, variable_name
from serving import classifier, running, wait_until

__all__ = ["classifier"]


@pytest.fixture(scope="module")
def instructions(repo_root: Path) -> list[tuple[str, str]]:
    """Instructions of the Dockerfile in order, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (repo_root / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


@pytest.fixture
def last_stage(instructions: list[tuple[str, str]]) -> dict[str, str]:
    """Instructions of the stage that runs; of each kind the last."""
    start = max(i for i, (word, _) in enumerate(instructions) if word == "FROM")
    return dict(instructions[start:])


def test_the_image_is_slim_and_built_in_stages(instructions: list[tuple[str, str]]) -> None:
    stages = [rest for word, rest in instructions if word == "FROM"]
    assert len(stages) == 2
    assert all("-slim" in stage for stage in stages)


def test_it_does_not_run_as_root(last_stage: dict[str, str]) -> None:
    assert int(last_stage["USER"]) > 0  # a number, so that Kubernetes can check it


def test_its_environment_is_known_to_the_settings(last_stage: dict[str, str]) -> None:
    given = dict(re.findall(r"(\S+)=(\S+)", last_stage["ENV"]))
    known = {variable_name(field) for field in Settings.model_fields}
    assert given["LESIONLENS_HOST"] == "0.0.0.0"
    assert {name for name in given if name.startswith("LESIONLENS_")} | {"PORT"} <= known
    assert given["PORT"] == last_stage["EXPOSE"]


def test_it_starts_the_server_without_a_shell_between(last_stage: dict[str, str]) -> None:
    assert json.loads(last_stage["CMD"]) == ["lesionlens", "serve"]  # or SIGTERM would end the shell only


@pytest.fixture
def health_check(last_stage: dict[str, str]) -> Callable[[int], int]:
    """The container's health check: a function from a port to its exit status."""
    command = json.loads(last_stage["HEALTHCHECK"].partition("CMD ")[2])
    assert command[0] == "python"

    def check(port: int) -> int:
        return subprocess.run(
            [sys.executable, *command[1:]], env={**os.environ, "PORT": str(port)}, capture_output=True, check=False
        ).returncode

    return check


def test_the_health_check_tells_ready_from_not(classifier: Classifier, health_check: Callable[[int], int]) -> None:
    with running(classifier) as server:
        wait_until(lambda: server.state.warm)
        port = int(server.url.rsplit(":", 1)[1])
        assert health_check(port) == 0
        server.state.draining = True
        assert health_check(port) != 0
    assert health_check(port) != 0


@pytest.mark.parametrize("path", [".git", "tests", "runs", "data", ".env"])
def test_nothing_else_is_sent_to_the_builder(repo_root: Path, path: str) -> None:
    kept = True
    for line in (repo_root / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#") and fnmatch(path, line.lstrip("!")):
            kept = line.startswith("!")
    assert not kept
