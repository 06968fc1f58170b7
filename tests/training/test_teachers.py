"""A network that learns from others."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch
from torch.nn import functional as F

from lesionlens import Bundle
from lesionlens.datasets import ImageSource
from lesionlens.errors import DataError
from lesionlens.imaging.preprocess import PreprocessSpec, normalise
from lesionlens.training.config import TrainConfig
from lesionlens.training.dataset import EvaluationDataset
from lesionlens.training.loop import train
from lesionlens.training.model import create_model
from lesionlens.training.package import package_run
from lesionlens.training.run_folder import RunFolder
from lesionlens.training.splits import split
from lesionlens.training.teachers import Teachers

pytestmark = pytest.mark.train

SPEC = PreprocessSpec(size=64, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def settings(data: Path, **changes: Any) -> TrainConfig:
    options: dict[str, Any] = {
        "stages": [{"epochs": 4, "size": 64}],
        "samples_per_epoch": 128,
        "batch_size": 8,
        "validation_share": 0.25,
        "workers": 0,
        "learning_rate": 4e-3,
    }
    return TrainConfig.model_validate(
        {"data": data, "architecture": "test_efficientnet", "preprocessing": SPEC, **options, **changes}
    )


@pytest.fixture(scope="module")
def teacher(drawn_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "teacher"
    train(settings(drawn_data), folder)
    return folder


def answers(folder: Path, size: int = 64) -> torch.Tensor:
    """Log-probabilities of the held-out pictures."""
    run = RunFolder(folder)
    config = run.read_config()
    network = create_model(config.architecture).eval()
    network.load_state_dict(run.load(run.weights))
    pictures = EvaluationDataset(split(config)[1], ImageSource(config.data), config)
    with torch.inference_mode():
        return F.log_softmax(network(torch.stack([pictures[i][0] for i in range(len(pictures))])), dim=1)


def test_a_network_can_learn_from_a_teacher_alone(drawn_data: Path, teacher: Path, tmp_path: Path) -> None:
    """With `distill` 1 no label is looked at: what it knows it has from the teacher."""
    config = settings(drawn_data, teachers=[teacher], distill=1.0, seed=0)
    train(config, tmp_path / "pupil")
    train(config.model_copy(update={"samples_per_epoch": 8, "learning_rate": 1e-9}), tmp_path / "untaught")
    wanted = answers(teacher)
    distance = {
        name: float(F.kl_div(answers(tmp_path / name), wanted, reduction="batchmean", log_target=True))
        for name in ("pupil", "untaught")
    }
    assert distance["pupil"] < 0.5 * distance["untaught"]


def test_a_bundle_teaches_and_is_named(drawn_data: Path, teacher: Path, tmp_path: Path) -> None:
    bundle = package_run(teacher, tmp_path / "wise")
    config = settings(drawn_data, teachers=[bundle.path, teacher], stages=[{"epochs": 1, "size": 48}], mixup=0.2)
    train(config, tmp_path / "pupil")
    record = Bundle.load(package_run(tmp_path / "pupil", tmp_path / "made").path).manifest.training
    assert record is not None
    assert record.recipe["teachers"] == ["wise", "teacher"]
    assert record.recipe["distill"] == 0.5
    assert str(tmp_path) not in record.model_dump_json()


def test_stopping_and_going_on_changes_nothing(drawn_data: Path, teacher: Path, tmp_path: Path) -> None:
    config = settings(drawn_data, teachers=[teacher], mixup=0.4, stages=[{"epochs": 2, "size": 48}])
    train(config, tmp_path / "whole")
    while not train(config, tmp_path / "parts", resume=True, max_minutes=0.005).finished:
        pass
    whole, parts = (RunFolder(tmp_path / name) for name in ("whole", "parts"))
    expected, found = whole.load(whole.weights), parts.load(parts.weights)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_teachers_see_the_picture_in_their_own_scale_and_size(drawn_data: Path, teacher: Path) -> None:
    """A picture normalised for the pupil reaches the teacher as if it had been normalised for the teacher."""
    own = PreprocessSpec(size=64, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    teachers = Teachers(settings(drawn_data, teachers=[teacher], preprocessing=own), lambda network: network)
    [(network, _)] = teachers._teachers
    with torch.no_grad():
        expected = torch.softmax(network(torch.from_numpy(normalise(pixels, SPEC))[None]), dim=1)
    found = teachers.probabilities(torch.from_numpy(normalise(pixels, own))[None], 1.0)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
    assert teachers.probabilities(torch.rand(2, 3, 32, 32), 1.0).shape == (2, 8)


def test_teachers_that_know_the_answers_are_refused(drawn_data: Path, teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="whisper the answers: use its seed 0"):
        train(settings(drawn_data, teachers=[teacher], seed=1), tmp_path / "a")
    bundle = package_run(teacher, tmp_path / "wise")
    with pytest.raises(DataError, match="kept other pictures out"):
        train(settings(drawn_data, teachers=[bundle.path], seed=1), tmp_path / "b")
    with pytest.raises(DataError, match="neither a run folder nor a bundle"):
        train(settings(drawn_data, teachers=[tmp_path / "nothing"]), tmp_path / "c")


@pytest.mark.filterwarnings("ignore:.*script_method.*:DeprecationWarning")  # PyTorch's compiler warns of PyTorch
@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling for the CPU needs g++")
def test_a_compiled_network_trains_as_the_plain_one(drawn_data: Path, tmp_path: Path) -> None:
    # Compiled dropout draws other numbers than the plain one.
    exact: dict[str, Any] = {"precision": "fp32", "dropout": 0.0}
    short: dict[str, Any] = {"stages": [{"epochs": 1, "size": 48}], "samples_per_epoch": 24, **exact}
    losses = [
        train(settings(drawn_data, **short, compile=compiled), tmp_path / str(compiled)).history[0]["train_loss"]
        for compiled in (False, True)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
