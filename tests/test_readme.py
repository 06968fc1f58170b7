"""The README tells the truth: its code blocks run, its answer has the shape of a real one, its layout exists."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import Running, classifier, running, server  # noqa: F401  (fixtures)
from synthetic import jpeg, lesion

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)

# These make environments or need an engine of their own. CI runs the first two; a fresh clone is tried by hand.
ELSEWHERE = (
    "make ",
    "docker ",
    "gcloud ",
    "git ",
    "pip ",
    "lesionlens serve",
    "lesionlens train",
    "lesionlens export",
    "lesionlens evaluate",
)


def blocks(*languages: str) -> list[str]:
    return [text for language, text in BLOCKS if language in languages]


def commands() -> Iterator[str]:
    for block in blocks("sh", "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            command = line.split(" #")[0].strip()
            if command and not command.startswith(ELSEWHERE):
                yield command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README's examples speak of."""
    (tmp_path / "mole.jpg").write_bytes(jpeg(lesion(1, 0, (600, 450))))
    (tmp_path / "photos").mkdir()
    for label in range(3):
        (tmp_path / "photos" / f"{label}.jpg").write_bytes(jpeg(lesion(label, 1, (300, 200))))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_two_commands_come_first() -> None:
    first = blocks("sh", "bash")[0]
    assert first.split()[:2] == ["make", "serve"]
    assert "make test" in first


def test_it_says_that_this_is_no_medical_device_before_the_first_example() -> None:
    assert "not a medical device" in README.split("```")[0]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's examples use curl, which is not installed")
@pytest.mark.parametrize("command", list(commands()))
def test_a_command_runs(command: str, folder: Path, server: Running) -> None:  # noqa: F811
    command = command.replace("http://localhost:5000", server.url)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.quote(command)}: {done.stderr}"


@pytest.mark.parametrize("code", blocks("python"))
def test_python_code_runs(code: str, folder: Path) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


def test_the_answer_shown_has_the_shape_of_a_real_one(folder: Path, server: Running) -> None:  # noqa: F811
    shown = json.loads(blocks("json")[0])
    real = server.post(
        "/predict", files={"file": ("mole.jpg", (folder / "mole.jpg").read_bytes(), "image/jpeg")}
    ).json()
    assert shown.keys() == real.keys()
    assert len(shown["probabilities"]) == 9
    assert sum(shown["probabilities"][:8]) == pytest.approx(1.0, abs=1e-2)
    assert shown["max_confidence"] == pytest.approx(max(shown["probabilities"][:8]), abs=1e-3)


def test_the_layout_shown_exists(repo_root: Path) -> None:
    [layout] = [text for text in blocks("text") if "src/lesionlens/" in text]
    names = re.findall(r"^    (\S+?)/?\s{2,}", layout, flags=re.MULTILINE)
    assert len(names) >= 10
    for name in names:
        assert (repo_root / "src" / "lesionlens" / name).exists(), name


def test_links_lead_somewhere(repo_root: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", README):
        assert (repo_root / target).exists(), target
