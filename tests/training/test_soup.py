"""Weights of several trainings averaged into one network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="needs the train extra")

import torch

from lesionlens import Bundle
from lesionlens.cli import app
from lesionlens.errors import DataError
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.lineage import trained_folds
from lesionlens.training.config import TrainConfig
from lesionlens.training.loop import train
from lesionlens.training.package import package_run
from lesionlens.training.run_folder import RunFolder
from lesionlens.training.soup import average_runs

pytestmark = pytest.mark.train

SPEC = PreprocessSpec(size=48, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def run(data: Path, folder: Path, **changes: Any) -> Path:
    options: dict[str, Any] = {
        "stages": [{"epochs": 1, "size": 48}],
        "samples_per_epoch": 32,
        "batch_size": 8,
        "validation_share": 0.25,
        "workers": 0,
        "seed": 3,
        "learning_rate": 2e-3,
    }
    config = TrainConfig.model_validate(
        {"data": data, "architecture": "test_efficientnet", "preprocessing": SPEC, **options, **changes}
    )
    train(config, folder)
    return folder


@pytest.fixture(scope="module")
def first(drawn_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(drawn_data, tmp_path_factory.mktemp("runs") / "first")


@pytest.fixture(scope="module")
def bundle(first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package_run(first, tmp_path_factory.mktemp("bundles") / "parent", half=False).path


@pytest.fixture(scope="module")
def second(drawn_data: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(drawn_data, tmp_path_factory.mktemp("more") / "second", start=bundle, mixup=0.4, freeze=1)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return RunFolder(folder).load(RunFolder(folder).weights)


def test_weights_lie_between_and_batch_norms_are_measured_anew(first: Path, second: Path, tmp_path: Path) -> None:
    average_runs(tmp_path / "soup", [first, second], [0.25, 0.75], pictures=32)
    a, b, soup = weights(first), weights(second), weights(tmp_path / "soup")
    kernels = [name for name, value in a.items() if value.ndim > 1]
    assert any(not torch.equal(a[name], b[name]) for name in kernels)
    for name in kernels:
        torch.testing.assert_close(soup[name], 0.25 * a[name] + 0.75 * b[name])
    measured = [name for name in a if name.endswith("running_mean") and not name.startswith("bn1")]
    assert any(not torch.allclose(soup[name], 0.25 * a[name] + 0.75 * b[name]) for name in measured)
    torch.testing.assert_close(soup["bn1.running_mean"], b["bn1.running_mean"], msg="frozen statistics stay")


def test_the_same_weights_twice_are_those_weights(first: Path, tmp_path: Path) -> None:
    average_runs(tmp_path / "soup", [first, first], [0.5, 0.5], pictures=32)
    own, soup = weights(first), weights(tmp_path / "soup")
    assert all(torch.equal(own[name], soup[name]) for name in own if "running" not in name and "tracked" not in name)


def test_the_bundle_tells_what_it_is_made_of(second: Path, bundle: Path, tmp_path: Path) -> None:
    arguments = ["average", str(tmp_path / "soup"), str(bundle), str(second), "--share", "0.3", "--share", "0.7"]
    result = CliRunner().invoke(app, [*arguments, "--pictures", "32"])
    assert result.exit_code == 0, result.output
    assert "0.30 × bundle parent 1.0.0" in " ".join(result.output.split())
    made = package_run(tmp_path / "soup", tmp_path / "made")
    record = Bundle.load(made.path).manifest.training
    assert record is not None
    assert [part.share for part in record.averaged] == [0.3, 0.7]
    assert record.averaged[1].training is not None
    assert record.averaged[1].training.recipe["mixup"] == 0.4
    assert trained_folds(made.manifest) == (1, 2, 3, 4)
    trainings = [made.recipe.get("mixup") for made in record.lineage()]
    assert trainings == [None, 0.4, 0.0], "the average, the run, and once the bundle that both came from"
    config = RunFolder(second).read_config().model_copy(update={"start": made.path})
    train(config, tmp_path / "third")  # a bundle of an average can be gone on from, with the same pictures held out


@pytest.mark.parametrize(
    ("shares", "message"),
    [([0.5], "as many shares"), ([0.9, 0.2], "sum to 1"), ([1.0, 0.0], "above 0")],
)
def test_shares_that_do_not_fit_are_told(
    first: Path, second: Path, tmp_path: Path, shares: list[float], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        average_runs(tmp_path / "soup", [first, second], shares)


def test_sources_that_do_not_fit_are_told(first: Path, bundle: Path, drawn_data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of the sources is a run folder"):
        average_runs(tmp_path / "a", [bundle, bundle], [0.5, 0.5])
    with pytest.raises(DataError, match="neither a run folder nor a bundle"):
        average_runs(tmp_path / "b", [tmp_path / "nothing", first], [0.5, 0.5])
    with pytest.raises(DataError, match="at least two"):
        average_runs(tmp_path / "c", [first], [1.0])
    with pytest.raises(DataError, match="holds a run already"):
        average_runs(first, [first, bundle], [0.5, 0.5])
    other = run(drawn_data, tmp_path / "other", seed=4)
    with pytest.raises(DataError, match="kept other pictures out"):
        average_runs(tmp_path / "d", [first, other], [0.5, 0.5])
    larger = run(drawn_data, tmp_path / "larger", architecture="test_efficientnet_gn")
    with pytest.raises(DataError, match="is a test_efficientnet;"):
        average_runs(tmp_path / "e", [first, larger], [0.5, 0.5])
