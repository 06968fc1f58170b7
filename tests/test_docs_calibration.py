"""docs/calibration.md tells the truth: its commands and its code run, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lesionlens import Bundle
from lesionlens.cli import app
from lesionlens.inference.embedded import find_bundle
from synthetic import jpeg, lesion, write_data_folder

DOC = Path(__file__).parents[1] / "docs" / "calibration.md"
TEXT = DOC.read_text(encoding="utf-8")
RECIPE = {"train_folds": [1, 2, 3, 4], "validation_fold": None, "validation_share": 0.5, "seed": 0}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the page speaks of."""
    folder = tmp_path_factory.mktemp("docs")
    write_data_folder(folder / "data" / "isic2019")
    (folder / "mole.jpg").write_bytes(jpeg(lesion(1, 0, (300, 200))))
    embedded = find_bundle()
    assert embedded.manifest.training is not None
    training = embedded.manifest.training.model_copy(update={"recipe": RECIPE})
    manifest = embedded.manifest.model_copy(
        update={"training": training, "prediction_set": None, "out_of_distribution": None, "calibration": None}
    )
    Bundle.write(folder / "mine", embedded.graph_path.read_bytes(), manifest, "")
    return folder


def test_its_commands_and_its_code_run_in_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    commands = [line.split() for block in blocks("sh") for line in block.splitlines() if line]
    assert commands
    for program, *arguments in commands:
        assert program == "lesionlens"
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
    bundle = Bundle.load("mine")
    assert bundle.manifest.calibration is not None
    assert "### Prediction sets" in bundle.model_card
    assert blocks("python")
    for code in blocks("python"):
        exec(compile(code, DOC.name, "exec"), {"__name__": "docs"})


def test_its_options_are_those_of_the_command() -> None:
    text = CliRunner().invoke(app, ["calibrate", "--help"], env={"COLUMNS": "200"}).output
    named = set(re.findall(r"^\| `(--[a-z-]+)`", TEXT, flags=re.MULTILINE))
    assert named == set(re.findall(r"--[a-z-]+", text)) - {"--help"}


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", TEXT):
        assert (DOC.parent / target).exists(), target
