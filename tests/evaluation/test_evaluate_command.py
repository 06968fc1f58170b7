"""`lesionlens evaluate` from end to end, with the embedded model."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from lesionlens import DISCLAIMER, Classifier
from lesionlens.cli import app
from lesionlens.datasets import ImageSource, read_samples
from lesionlens.errors import DataError
from lesionlens.evaluation import Metrics, Predictions
from lesionlens.evaluation.card import render_model_card, results_for_manifest
from lesionlens.evaluation.run import choose, model_info, predict
from lesionlens.imaging import decode
from lesionlens.inference.bundle import Bundle, TrainingRecord
from lesionlens.inference.embedded import find_bundle


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, args)], env={"COLUMNS": "100"})


@pytest.fixture(scope="module")
def output(data_folder: Path, embedded_model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation") / "new" / "folder"
    result = run("--model", embedded_model, "--data", data_folder, "--output", folder, "--bootstrap", 20)
    assert result.exit_code == 0, result.output
    assert "Balanced accuracy" in result.output
    assert DISCLAIMER in " ".join(result.output.split())
    return folder


def test_it_writes_figures_predictions_and_report(output: Path, embedded_model: str) -> None:
    metrics = Metrics.load(output / "metrics.json")
    assert metrics.model is not None
    assert metrics.model.sha256 == Classifier(embedded_model).manifest.graph_sha256
    assert (metrics.data.fold, metrics.data.n, metrics.data.groups, metrics.seed) == (0, 16, 8, 0)
    assert {"numpy", "scikit-learn", "isic-challenge-scoring", "lesionlens"} <= set(metrics.packages)
    with (output / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [f"ISIC_{i:07d}" for i in range(16)]
    assert {row["source"] for row in rows if row["height"] == "84"} == {"BCN"}
    report = (output / "report.html").read_text(encoding="utf-8")
    assert "Worst mistakes" in report
    assert "data:image/jpeg;base64," in report


def test_its_answers_are_those_of_the_service(output: Path, data_folder: Path, embedded_model: str) -> None:
    predictions = Predictions.read_csv(output / "predictions.csv")
    source = ImageSource(data_folder)
    images = [decode(source.read(name)).image for name in predictions.image[:4].tolist()]
    analyses = Classifier(embedded_model).analyse(images)
    assert np.allclose(predictions.logits[:4], [a.logits for a in analyses], atol=1e-4)
    assert predictions.prediction[:4].tolist() == [a.prediction for a in analyses]


def test_scoring_the_predictions_again_gives_the_same_file(output: Path, tmp_path: Path) -> None:
    result = run("--predictions", output / "predictions.csv", "--output", tmp_path, "--bootstrap", 20)
    assert result.exit_code == 0, result.output
    for name in ("metrics.json", "predictions.csv"):
        assert (tmp_path / name).read_bytes() == (output / name).read_bytes()
    assert "without the pictures" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_predictions_on_their_own_have_no_models_name(output: Path, tmp_path: Path) -> None:
    shutil.copy(output / "predictions.csv", tmp_path)
    assert "unnamed model" in run("--predictions", tmp_path / "predictions.csv", "--bootstrap", 0).output
    # A metrics file that belongs to other predictions does not lend them its model.
    metrics = json.loads((output / "metrics.json").read_text())
    metrics["data"]["predictions_sha256"] = "0" * 64
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    assert "unnamed model" in run("--predictions", tmp_path / "predictions.csv", "--bootstrap", 0).output


def test_a_limit_draws_at_random_and_says_so(data_folder: Path, embedded_model: str, tmp_path: Path) -> None:
    args = ("--model", embedded_model, "--data", data_folder, "--fold", "all", "--bootstrap", 0, "--output", tmp_path)
    result = run(*args, "--limit", 5, "--batch-size", 2)
    assert result.exit_code == 0, result.output
    assert "5 of 24 pictures drawn at random" in " ".join(result.output.split())
    data = Metrics.load(tmp_path / "metrics.json").data
    assert (data.n, data.fold, data.limited_from) == (5, None, 24)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "either --data DIR"),
        (("--data", "{data}", "--predictions", "x.csv"), "either --data DIR"),
        (("--data", "/does/not/exist"), "no such data folder"),
        (("--data", "{data}", "--fold", "first"), "--fold takes a number or `all`, not 'first'"),
        (("--data", "{data}", "--fold", "7"), "no picture is in fold 7: there are the folds 0, 1"),
        (("--data", "{data}", "--folds-file", "/no/folds.csv"), "cannot read"),
        (("--data", "{data}", "--model", "no-such-model"), "no model 'no-such-model'"),
        (("--data", "{data}", "--model", "{model}", "--engine", "abacus"), "unknown engine 'abacus'"),
        (("--predictions", "/no/predictions.csv"), "cannot read predictions.csv"),
        (("--data", "{data}", "--output", "{data}/pictures.tar"), "cannot make the output folder"),
    ],
)
def test_what_cannot_be_done_is_explained(
    data_folder: Path, embedded_model: str, args: tuple[str, ...], message: str
) -> None:
    result = run(*(a.format(data=data_folder, model=embedded_model) for a in args))
    assert result.exit_code != 0
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_folds_are_needed_to_choose_one(data_folder: Path, tmp_path: Path) -> None:
    header = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\n"
    (tmp_path / "ISIC_2019_Training_GroundTruth.csv").write_text(header + "ISIC_1,0,1,0,0,0,0,0,0,0\n")
    with pytest.raises(DataError, match="the data has no folds file; fold `all` takes every picture"):
        choose(read_samples(tmp_path), fold=0)
    assert len(choose(read_samples(tmp_path))) == 1
    with pytest.raises(DataError, match="must be 1 or more, not 0"):
        choose(read_samples(data_folder), limit=0)


def test_a_damaged_picture_is_named(data_folder: Path, embedded_model: str, tmp_path: Path) -> None:
    shutil.copytree(data_folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "ISIC_0000003.jpg").write_bytes(b"\xff\xd8 not a picture")
    classifier, samples = Classifier(embedded_model), read_samples(tmp_path)
    with pytest.raises(DataError, match="picture ISIC_0000003 cannot be used"):
        predict(classifier, samples, ImageSource(tmp_path))
    with pytest.raises(DataError, match="batch size must be 1 or more"):
        predict(classifier, samples, ImageSource(tmp_path), batch_size=0)


def test_batches_do_not_change_the_answers(data_folder: Path, embedded_model: str) -> None:
    classifier, samples, source = Classifier(embedded_model), read_samples(data_folder)[:5], ImageSource(data_folder)
    seen: list[int] = []
    one = predict(classifier, samples, source, batch_size=1)
    four = predict(classifier, samples, source, batch_size=4, progress=seen.append)
    assert seen == [4, 1]
    assert np.allclose(one.logits, four.logits, atol=1e-4)


def test_real_pictures_of_the_test_fold(shared_data: Path, embedded_model: str, tmp_path: Path) -> None:
    result = run(
        "--model", embedded_model, "--data", shared_data, "--limit", 24, "--bootstrap", 50, "--output", tmp_path
    )
    assert result.exit_code == 0, result.output
    metrics = Metrics.load(tmp_path / "metrics.json")
    assert metrics.data.limited_from == 5059
    assert {s.key for s in metrics.slices} >= {"all", "short_side_ge_180", "short_side_lt_180", "source:BCN"}
    assert sum(s.n for s in metrics.slices if s.key.startswith("source:")) == 24
    predictions = Predictions.read_csv(tmp_path / "predictions.csv")
    assert set(predictions.short_side[predictions.source == "BCN"].tolist()) == {84}


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ({"train_folds": [1, 2, 3], "validation_fold": 4}, ((1, 2, 3), 4)),
        ({"train_folds": [1, 2], "validation_fold": None}, ((1, 2), None)),
        ({"train_folds": "all", "validation_fold": "last"}, ((), None)),
        ({}, ((), None)),
    ],
)
def test_the_folds_of_a_recipe_are_known_to_the_figures(
    embedded_model: str, tmp_path: Path, recipe: dict[str, object], expected: tuple[tuple[int, ...], int | None]
) -> None:
    bundle = find_bundle(embedded_model)
    record = TrainingRecord(data="Drawn.", licence="none", recipe=recipe)
    manifest = bundle.manifest.model_copy(update={"training": record})
    trained = Bundle.write(tmp_path / "trained", bundle.graph_path.read_bytes(), manifest, "", bundle.reference)
    info = model_info(Classifier(trained, engine="onnxruntime"))
    assert (info.train_folds, info.validation_fold) == expected


def test_torch_is_not_needed() -> None:
    import subprocess

    program = "import lesionlens.evaluation, lesionlens.evaluation.run, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_card_puts_the_figures_into_the_bundle(
    output: Path, data_folder: Path, embedded_model: str, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(find_bundle(embedded_model).path, folder)
    result = run("--model", folder, "--data", data_folder, "--bootstrap", 20, "--card")
    assert result.exit_code == 0, result.output
    bundle = Bundle.load(folder)
    metrics = Metrics.load(output / "metrics.json")
    assert bundle.manifest.results == results_for_manifest(metrics)
    assert bundle.model_card == render_model_card(bundle.manifest, metrics)
    assert run("--predictions", output / "predictions.csv", "--card").exit_code == 1
