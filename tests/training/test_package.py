"""A run becomes a bundle that serves, with everything that is fitted on its validation pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="needs the train extra")

import torch

from lesionlens import DISCLAIMER, Bundle, Classifier
from lesionlens.cli import app
from lesionlens.datasets import ImageSource, read_samples
from lesionlens.imaging import decode
from lesionlens.training.model import create_model, load_start
from lesionlens.training.prior import prior_shift
from lesionlens.training.run_folder import RunFolder

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def run_folder(drawn_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run, started from the command line."""
    folder = tmp_path_factory.mktemp("runs") / "drawn"
    config = folder.parent / "config.json"
    spec = {"size": 64, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    config.write_text(
        json.dumps(
            {
                "data": str(drawn_data),
                "architecture": "test_efficientnet",
                "stages": [{"epochs": 4, "size": 64}],
                "preprocessing": spec,
                "samples_per_epoch": 128,
                "learning_rate": 4e-3,
                "validation_share": 0.25,
                "workers": 0,
            }
        )
    )
    result = CliRunner().invoke(app, ["train", str(folder), "--config", str(config), "--set", "batch_size=8"])
    assert result.exit_code == 0, result.output
    assert "lesionlens export" in result.output
    return folder


def test_an_exported_run_serves_and_knows_its_lesions(run_folder: Path, drawn_data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(run_folder), str(tmp_path / "drawn"), "--version", "2.0.0"])
    assert result.exit_code == 0, result.output
    bundle = Bundle.load(tmp_path / "drawn")
    assert (bundle.manifest.name, bundle.manifest.version) == ("drawn", "2.0.0")
    assert bundle.model_card.startswith("# drawn\n")
    assert DISCLAIMER in bundle.model_card
    assert bundle.manifest.training is not None
    assert bundle.manifest.training.recipe["batch_size"] == 8
    assert str(drawn_data) not in bundle.manifest.model_dump_json(), "a manifest holds no path of the machine"
    assert {p.name for p in bundle.manifest.operating_points} == {"sensitivity_90", "sensitivity_95"}
    assert bundle.manifest.calibration is not None
    assert bundle.manifest.calibration.measured_on.endswith("pictures of folds 1, 2, 3, 4 kept out of training")
    test_fold = [s for s in read_samples(drawn_data) if s.fold == 0]
    source = ImageSource(drawn_data)
    analyses = Classifier(bundle).analyse([decode(source.read(s.image)).image for s in test_fold])
    right = np.mean([a.top == s.label for a, s in zip(analyses, test_fold, strict=True)])
    assert right > 0.3, "chance is 0.125"


def test_a_bad_name_is_told_before_the_slow_part(run_folder: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(run_folder), str(tmp_path / "out"), "--name", "My Bundle"])
    assert result.exit_code == 1
    assert "'My Bundle' is not accepted" in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nowhere", "--set", "loss=hinge"], "loss: Input should be 'cross_entropy' or 'focal'"),
        (["train", "nowhere", "--set", "loss"], "name=value"),
        (["train", "nowhere"], "data: Field required"),
        (["train", "nowhere", "--resume"], "config.json is missing"),
        (["train", "nowhere", "--config", "broken.json"], "broken.json is not valid JSON"),
        (["train", "nowhere", "--config", "broken.json", "--resume"], "takes the run's own settings"),
        (["export", "nowhere", "bundle"], "config.json is missing"),
    ],
)
def test_wrong_commands_are_told_in_a_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text("{")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert message in " ".join(result.output.split())


def test_taking_the_prior_off_favours_rare_classes() -> None:
    shift = prior_shift([100, 10_000, 100, 100, 100, 10, 10, 100], balance=0.5, strength=1.0)
    assert shift.argmin() == 1
    assert shift.mean() == pytest.approx(0.0, abs=1e-6)
    assert shift[5] - shift[1] == pytest.approx(0.5 * np.log(1000), abs=1e-5)
    assert not prior_shift([1, 2, 3, 4, 5, 6, 7, 8], balance=1.0, strength=1.0).any()


def test_training_goes_on_from_a_bundle(run_folder: Path, drawn_data: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert CliRunner().invoke(app, ["export", str(run_folder), str(first)]).exit_code == 0
    more = ["--set", f"data={drawn_data}", "--set", 'stages=[{"epochs":1,"size":64}]', "--set", "workers=0"]
    more += ["--set", "samples_per_epoch=16", "--set", "batch_size=8", "--set", "learning_rate=1e-9"]
    run = tmp_path / "run"
    result = CliRunner().invoke(app, ["train", str(run), "--start", str(first), *more])
    assert result.exit_code == 0, result.output
    assert json.loads((run / "config.json").read_text())["validation_share"] == 0.25, "the same pictures are held out"
    assert CliRunner().invoke(app, ["export", str(run), str(second)]).exit_code == 0

    model = create_model("test_efficientnet")
    load_start(model, first)
    trained = RunFolder(run_folder).load(run_folder / "weights.pt")
    for name, tensor in model.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(tensor, trained[name].float(), rtol=1e-3, atol=1e-6, msg=name)

    record = Bundle.load(second).manifest.training
    assert record is not None
    assert record.earlier == Bundle.load(first).manifest.training
    assert "bundle first 1.0.0" in record.starting_weights


def test_going_on_with_other_pictures_held_out_is_refused(run_folder: Path, drawn_data: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    assert CliRunner().invoke(app, ["export", str(run_folder), str(first)]).exit_code == 0
    command = ["train", str(tmp_path / "run"), "--start", str(first), "--set", f"data={drawn_data}"]
    result = CliRunner().invoke(app, [*command, "--set", "seed=7"])
    assert result.exit_code == 1
    assert "pictures that it has learnt already: use its seed 0" in " ".join(result.output.split())
