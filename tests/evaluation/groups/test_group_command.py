"""`lesionlens evaluate` looks the traits up by itself and can be run again from its own file."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from lesionlens.cli import app
from lesionlens.evaluation import Metrics, Predictions
from lesionlens.inference.bundle import Bundle
from lesionlens.inference.embedded import find_bundle


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, args)], env={"COLUMNS": "100"})


@pytest.fixture(scope="module")
def documented(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up data folder with a metadata file for all but one of its pictures."""
    folder = tmp_path_factory.mktemp("documented")
    shutil.copytree(data_folder, folder, dirs_exist_ok=True)
    with (folder / "ISIC_2019_Training_Metadata.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "age_approx", "anatom_site_general", "lesion_id", "sex"])
        writer.writerows(
            [f"ISIC_{i:07d}", 20 + 5 * i, "head/neck", "", ("female", "male")[i // 2 % 2]] for i in range(1, 24)
        )
    return folder


@pytest.fixture(scope="module")
def output(documented: Path, embedded_model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("groups")
    result = run("--model", embedded_model, "--data", documented, "--output", folder, "--bootstrap", 20)
    assert result.exit_code == 0, result.output
    return folder


def test_traits_are_looked_up_without_being_asked_for(output: Path) -> None:
    traits = Predictions.read_csv(output / "predictions.csv").traits
    assert traits is not None
    assert traits.sex.tolist()[:4] == ["", "female", "male", "male"]
    assert traits.age.tolist()[:3] == [-1, 25, 30]
    assert np.isfinite(traits.ita).all()
    report = Metrics.load(output / "metrics.json").groups
    assert report is not None
    assert {a.key: sum(g.n for g in a.groups) for a in report.attributes}["sex"] == 16
    assert "Whom it serves worse" in (output / "report.html").read_text(encoding="utf-8")


def test_the_groups_are_recomputed_from_the_predictions(output: Path, tmp_path: Path) -> None:
    result = run("--predictions", output / "predictions.csv", "--output", tmp_path, "--bootstrap", 20)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "metrics.json").read_bytes() == (output / "metrics.json").read_bytes()


def test_without_metadata_there_is_what_the_pictures_show(
    data_folder: Path, embedded_model: str, tmp_path: Path
) -> None:
    result = run("--model", embedded_model, "--data", data_folder, "--output", tmp_path, "--bootstrap", 0)
    assert result.exit_code == 0, result.output
    report = Metrics.load(tmp_path / "metrics.json").groups
    assert report is not None
    assert "source" in {a.key for a in report.attributes}
    assert "sex" not in {a.key for a in report.attributes}
    assert sum("metadata files" in note for note in report.notes) == 4


def test_the_card_of_a_bundle_gets_the_groups(documented: Path, embedded_model: str, tmp_path: Path) -> None:
    shutil.copytree(find_bundle(embedded_model).path, tmp_path / "bundle")
    result = run("--model", tmp_path / "bundle", "--data", documented, "--bootstrap", 10, "--card")
    assert result.exit_code == 0, result.output
    card = Bundle.load(tmp_path / "bundle").model_card
    assert "### By group of people and pictures" in card
    assert "| Sex | Pictures (malignant) |" in card


def test_on_real_pictures_most_skins_are_light(shared_data: Path, embedded_model: str, tmp_path: Path) -> None:
    result = run(
        "--model", embedded_model, "--data", shared_data, "--limit", 40, "--bootstrap", 20, "--output", tmp_path
    )
    assert result.exit_code == 0, result.output
    predictions = Predictions.read_csv(tmp_path / "predictions.csv")
    assert predictions.traits is not None
    assert np.isfinite(predictions.traits.ita).mean() > 0.95
    assert (predictions.traits.ita > 28).mean() > 0.7
    assert (predictions.traits.sex != "").mean() > 0.7
    report = Metrics.load(tmp_path / "metrics.json").groups
    assert report is not None
    assert [a.key for a in report.attributes] == ["sex", "age", "sex_age", "site", "source", "tone"]
