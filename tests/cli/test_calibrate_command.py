"""`lesionlens calibrate` from end to end: what it takes, what it writes, what it refuses."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from lesionlens import Bundle, Classifier
from lesionlens.datasets import ImageSource, read_samples
from lesionlens.imaging import decode
from lesionlens.inference.embedded import find_bundle
from synthetic import write_data_folder

Run = Callable[..., Result]
RECIPE = {"train_folds": [1, 2, 3, 4], "validation_fold": None, "validation_share": 0.5, "seed": 1}


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 drawn lesions, 64 of them in folds 1–4."""
    return write_data_folder(tmp_path_factory.mktemp("calibrated") / "drawn")


def bundle_in(folder: Path, model: str, **changes: object) -> Bundle:
    """The embedded network as if a run with `RECIPE` had made it and nothing had been fitted yet."""
    embedded = find_bundle(model)
    manifest = embedded.manifest
    assert manifest.training is not None
    bare = {
        "temperature": 3.0,
        "logit_shift": None,
        "prediction_set": None,
        "out_of_distribution": None,
        "operating_points": (),
        "calibration": None,
        "training": manifest.training.model_copy(update={"recipe": RECIPE}),
        "results": {"data": "fold 0"},
    }
    return Bundle.write(
        folder, embedded.graph_path.read_bytes(), manifest.model_copy(update={**bare, **changes}), "# A card\n"
    )


@pytest.fixture(scope="module")
def calibrated(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, str]:
    """A calibrated bundle, and what was printed."""
    from typer.testing import CliRunner

    from lesionlens.cli import app
    from lesionlens.inference.embedded import DEFAULT_MODEL

    before = bundle_in(tmp_path_factory.mktemp("bundle") / "drawn", DEFAULT_MODEL)
    arguments = ["calibrate", str(before.path), "--data", str(data), "--engine", "onnxruntime"]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    return Bundle.load(before.path), result.output


def test_everything_is_fitted_and_kept(calibrated: tuple[Bundle, str]) -> None:
    bundle, _ = calibrated
    manifest = bundle.manifest
    assert manifest.temperature != 3.0
    assert manifest.prediction_set is not None
    assert manifest.prediction_set.coverage == 0.9
    assert [p.name for p in manifest.operating_points] == ["sensitivity_90", "sensitivity_95"]
    assert manifest.out_of_distribution is not None
    assert bundle.reference
    assert manifest.calibration is not None
    assert manifest.calibration.pictures == 32
    assert manifest.calibration.measured_on == "32 pictures of folds 1, 2, 3, 4 kept out of training"
    assert manifest.results == {}, "what was measured of other probabilities does not stay"
    assert bundle.model_card == "# A card\n"
    assert not list(bundle.path.glob("*.tmp"))


def test_it_says_what_it_did(calibrated: tuple[Bundle, str]) -> None:
    bundle, output = calibrated
    record = bundle.manifest.calibration
    assert record is not None
    assert record.temperature is not None
    text = " ".join(output.split())
    for words in (
        "calibrated on 32 pictures of folds 1, 2, 3, 4 kept out of training (16 lesions)",
        f"{record.uncalibrated.nll:.4f} {record.uncalibrated.ece:.4f}",
        f"{record.temperature.nll:.4f} {record.temperature.ece:.4f}",
        "the standard error of",
        "sensitivity_95",
        f"Temperature 3.0000 → {bundle.manifest.temperature:.4f}",
        "were taken out",
        f"lesionlens evaluate --model {bundle.path}",
    ):
        assert words in text, words
    table = output[: output.index("Temperature 3")]
    assert max(map(len, table.splitlines())) <= 80


def test_running_it_again_changes_nothing(calibrated: tuple[Bundle, str], data: Path, run: Run) -> None:
    bundle, _ = calibrated
    before = {p.name: p.read_bytes() for p in bundle.path.iterdir()}
    result = run("calibrate", bundle.path, "--data", data, "--engine", "onnxruntime")
    assert result.exit_code == 0, result.output
    assert {p.name: p.read_bytes() for p in bundle.path.iterdir()} == before


def test_answers_come_with_the_sets_that_were_fitted(calibrated: tuple[Bundle, str], data: Path) -> None:
    bundle, _ = calibrated
    classifier, source = Classifier(bundle, engine="onnxruntime"), ImageSource(data)
    samples = [s for s in read_samples(data) if s.fold == 0]
    analyses = classifier.analyse([decode(source.read(s.image)).image for s in samples])
    for analysis in analyses:
        assert analysis.prediction_set is not None
        assert analysis.prediction_set[0] == analysis.top
        shown = analysis.probabilities[list(analysis.prediction_set)]
        assert (np.diff(shown) <= 0).all()
    held = [s.label in (a.prediction_set or ()) for s, a in zip(samples, analyses, strict=True)]
    assert np.mean(held) > 0.5, "the promise is 0.9; these are few, and of a network that never saw such pictures"


def test_a_fold_that_was_trained_on_is_refused(data: Path, model: str, tmp_path: Path, run: Run) -> None:
    bundle = bundle_in(tmp_path / "bundle", model)
    result = run("calibrate", bundle.path, "--data", data, "--fold", 2)
    assert result.exit_code == 1
    assert "was trained on fold 2" in " ".join(result.output.split())
    assert Bundle.load(bundle.path) == bundle, "nothing was written"


def test_weights_of_unknown_origin_take_a_fold(data: Path, model: str, tmp_path: Path, run: Run) -> None:
    bundle = bundle_in(tmp_path / "bundle", model, training=None)
    result = run("calibrate", bundle.path, "--data", data)
    assert result.exit_code == 1
    assert "name a fold that it was not trained on with --fold" in " ".join(result.output.split())
    result = run("calibrate", bundle.path, "--data", data, "--fold", 3)
    assert result.exit_code == 0, result.output
    record = Bundle.load(bundle.path).manifest.calibration
    assert record is not None
    assert (record.fold, record.measured_on) == (3, "16 pictures of fold 3")


def test_what_cannot_be_done_is_explained(data: Path, model: str, tmp_path: Path, run: Run) -> None:
    bundle = bundle_in(tmp_path / "bundle", model)
    for arguments, message in (
        (("no-such-bundle", "--data", data), "no model 'no-such-bundle'"),
        ((bundle.path, "--data", tmp_path / "nowhere"), "no such data folder"),
        ((bundle.path, "--data", data, "--engine", "abacus"), "unknown engine 'abacus'"),
        ((bundle.path, "--data", data, "--folds-file", tmp_path / "none.csv"), "cannot read"),
    ):
        result = run("calibrate", *arguments)
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())
    assert run("calibrate", bundle.path).exit_code == 2


def test_real_pictures(shared_data: Path, fold_rows: dict[str, dict[str, str]], model: str, tmp_path: Path) -> None:
    """Six real pictures of every diagnosis, half of them kept out."""
    chosen: list[dict[str, str]] = []
    for code in sorted({row["label"] for row in fold_rows.values()}):
        lesions = {row["group"]: row for row in fold_rows.values() if row["label"] == code and row["fold"] != "0"}
        chosen += list(lesions.values())[:6]
    folds = tmp_path / "folds.csv"
    with folds.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, chosen[0].keys())
        writer.writeheader()
        writer.writerows(chosen)
    bundle = bundle_in(tmp_path / "bundle", model)
    # In a process of its own, to see that PyTorch is not needed.
    program = (
        "from lesionlens.cli import app; import sys; app(standalone_mode=False); assert 'torch' not in sys.modules"
    )
    arguments = ["calibrate", str(bundle.path), "--data", str(shared_data), "--folds-file", str(folds)]
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "80"}, check=False)
    assert done.returncode == 0, done.stderr
    manifest = Bundle.load(bundle.path).manifest
    record, rule = manifest.calibration, manifest.prediction_set
    assert record is not None
    assert rule is not None
    assert record.temperature is not None
    assert record.temperature.nll < record.uncalibrated.nll + 0.05
    assert 20 <= record.lesions <= 28
    assert 0 < rule.threshold < 1
