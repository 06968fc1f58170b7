"""`lesionlens models`, `version` and `--version`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from lesionlens import DISCLAIMER, __version__
from lesionlens.inference import embedded

Run = Callable[..., Result]


@pytest.fixture
def installed(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of one installed model that may be changed, as the only one."""
    shutil.copytree(embedded.embedded_models()[model], tmp_path / embedded.DEFAULT_MODEL)
    monkeypatch.setattr(embedded, "_FOLDER", tmp_path)
    return tmp_path / embedded.DEFAULT_MODEL


def change(bundle: Path, **values: object) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    (bundle / "manifest.json").write_text(json.dumps(manifest | values))


def test_the_installed_models_are_listed(run: Run, model: str) -> None:
    result = run("models")
    assert result.exit_code == 0
    assert model in result.stdout
    assert "MB" in result.stdout
    assert DISCLAIMER in " ".join(result.stdout.split())


def test_the_default_and_its_figures_are_shown(run: Run, installed: Path) -> None:
    change(
        installed,
        results={
            "measured_sha256": "0" * 64,
            "slices": {
                "all": {"n": 5059, "balanced_accuracy": [0.7123, 0.69, 0.73], "malignant_auc": [0.9, None, None]}
            },
        },
    )
    result = run("models")
    assert f"{embedded.DEFAULT_MODEL} (default" in result.stdout
    assert "balanced accuracy 71.2% (69.0%–73.0%), malignant AUC 0.900 on 5,059 pictures" in " ".join(
        result.stdout.split()
    )
    assert "another run of the same recipe" in " ".join(result.stdout.split())


def test_a_quick_model_is_known_by_what_it_is_for(run: Run) -> None:
    described = {model["name"]: model for model in json.loads(run("models", "--json").stdout)}
    assert described[embedded.ALIASES["fast"]]["aliases"] == ["fast"]
    assert embedded.find_bundle("fast").manifest.name == embedded.ALIASES["fast"]


def test_figures_that_are_not_there_are_not_made_up(run: Run, installed: Path) -> None:
    change(installed, results={"slices": {"all": {"balanced_accuracy": [None, None, None]}}})
    [described] = json.loads(run("models", "--json").stdout)
    assert described["headline"] == "nothing"


def test_json_describes_each_model(run: Run, installed: Path) -> None:
    [described] = json.loads(run("models", "--json").stdout)
    assert described["name"] == embedded.DEFAULT_MODEL
    assert described["default"] is True
    assert described["bytes"] > 100_000
    assert described["input_size"] >= 32


def test_a_damaged_model_is_named_and_fails(run: Run, installed: Path) -> None:
    with (installed / "model.onnx").open("ab") as file:
        file.write(b"x")
    result = run("models")
    assert result.exit_code == 1
    assert "damaged" in result.stdout
    assert "SHA-256" in json.loads(run("models", "--json").stdout)[0]["error"]


def test_an_installation_without_models_says_so(run: Run, installed: Path) -> None:
    shutil.rmtree(installed)
    result = run("models")
    assert result.exit_code == 0
    assert "No model is installed" in result.stdout


def test_the_version_is_told_both_ways(run: Run) -> None:
    assert run("version").stdout == run("--version").stdout == f"lesionlens {__version__}\n"
