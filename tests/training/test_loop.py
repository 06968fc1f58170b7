"""A run learns, can be stopped and killed anywhere, and goes on to the same result."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from lesionlens.errors import DataError  # noqa: E402
from lesionlens.training.config import Stage, TrainConfig  # noqa: E402
from lesionlens.training.loop import Progress, train  # noqa: E402
from lesionlens.training.splits import split  # noqa: E402

pytestmark = pytest.mark.train


def settings(data: Path, **changes: Any) -> TrainConfig:
    base: dict[str, Any] = {
        "data": data,
        "architecture": "test_efficientnet",
        "stages": (Stage(epochs=1, size=48), Stage(epochs=1, size=64)),
        "preprocessing": {"size": 64, "mean": (0.5,) * 3, "std": (0.5,) * 3},
        "batch_size": 8,
        "samples_per_epoch": 40,
        "validation_fold": 4,
        "train_folds": (1, 2, 3),
        "workers": 0,
        "average_decay": 0.9,
    }
    return TrainConfig.model_validate(base | changes)


def weights(path: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return state


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    for name, value in a.items():
        torch.testing.assert_close(value, b[name], rtol=0, atol=0, msg=lambda m, name=name: f"{name}: {m}")


@pytest.fixture(scope="module")
def reference(drawn_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    folder = tmp_path_factory.mktemp("reference")
    assert train(settings(drawn_data), folder).finished
    return folder


def test_a_run_learns_to_tell_drawn_lesions_apart(drawn_data: Path, tmp_path: Path) -> None:
    config = settings(drawn_data, stages=(Stage(epochs=6, size=64),), samples_per_epoch=128, learning_rate=4e-3)
    result = train(config, tmp_path)
    first, last = result.history[0], result.history[-1]
    assert last["train_loss"] < first["train_loss"] - 0.3
    assert max(row["balanced_accuracy"] for row in result.history) > 0.4  # chance is 0.125


def test_a_run_folder_holds_settings_metrics_and_curves(reference: Path) -> None:
    assert json.loads((reference / "config.json").read_text())["architecture"] == "test_efficientnet"
    rows = list(csv.DictReader((reference / "metrics.csv").read_text().splitlines()))
    assert [row["size"] for row in rows] == ["48", "64"]
    assert (reference / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert not list(reference.glob("*.tmp"))


def test_a_run_stopped_by_its_time_limit_goes_on_to_the_same_result(
    drawn_data: Path, tmp_path: Path, reference: Path
) -> None:
    stops = 0
    result = train(settings(drawn_data), tmp_path, max_minutes=0)
    while not result.finished:
        stops += 1
        assert stops < 30
        result = train(settings(drawn_data), tmp_path, resume=True, max_minutes=0)
    assert stops >= 5, "the test means nothing if the run was not cut into pieces"
    assert_same(weights(tmp_path / "best.pt"), weights(reference / "best.pt"))
    losses = [
        [row["train_loss"] for row in json.loads((p / "metrics.json").read_text())] for p in (tmp_path, reference)
    ]
    assert losses[0] == losses[1]


KILLED = """
import os, signal, sys
from lesionlens.training.config import TrainConfig
from lesionlens.training.loop import train
import pathlib
config = TrainConfig.model_validate_json(sys.stdin.read())
def report(progress):
    if progress.step == 8:
        os.kill(os.getpid(), signal.SIGKILL)
train(config, pathlib.Path(sys.argv[1]), report=report)
"""


def test_a_run_killed_in_its_second_epoch_goes_on_to_the_same_result(
    drawn_data: Path, tmp_path: Path, reference: Path
) -> None:
    config = settings(drawn_data)
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], input=config.model_dump_json(), text=True, check=False
    )
    assert process.returncode == -signal.SIGKILL
    seen: list[Progress] = []
    assert train(config, tmp_path, resume=True, report=seen.append).finished
    assert seen[0].step == 6, "it goes on after the first epoch's five steps"
    assert_same(weights(tmp_path / "best.pt"), weights(reference / "best.pt"))


def test_resuming_with_other_settings_is_refused(drawn_data: Path, reference: Path) -> None:
    with pytest.raises(DataError, match="learning_rate"):
        train(settings(drawn_data, learning_rate=1e-5), reference, resume=True)


def test_early_stopping_ends_a_run_that_does_not_get_better(drawn_data: Path, tmp_path: Path) -> None:
    config = settings(drawn_data, stages=(Stage(epochs=8, size=48),), learning_rate=1e-9, patience=1)
    assert 2 <= len(train(config, tmp_path).history) < 8


@pytest.mark.parametrize(
    "changes", [{"loss": "focal", "workers": 1}, {"precision": "fp32", "drop_path": 0.1, "freeze": 2}]
)
def test_other_choices_train_too(drawn_data: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    config = settings(drawn_data, stages=(Stage(epochs=1, size=48),), samples_per_epoch=16, **changes)
    assert train(config, tmp_path).finished


def test_frozen_stages_keep_their_weights(drawn_data: Path, tmp_path: Path) -> None:
    config = settings(drawn_data, freeze=2, stages=(Stage(epochs=1, size=48),))
    from lesionlens.training.model import create_model

    start = tmp_path / "start.pt"
    torch.manual_seed(5)
    torch.save(create_model("test_efficientnet").state_dict(), start)
    train(config.model_copy(update={"start": start}), tmp_path / "run")
    before, after = weights(start), weights(tmp_path / "run" / "best.pt")
    assert torch.equal(before["conv_stem.weight"], after["conv_stem.weight"])
    assert torch.equal(before["bn1.running_mean"], after["bn1.running_mean"])
    assert not torch.equal(before["conv_head.weight"], after["conv_head.weight"])


def test_no_lesion_is_on_both_sides_of_a_split(drawn_data: Path) -> None:
    config = settings(drawn_data, validation_fold=None, train_folds=(1, 2, 3, 4), validation_share=0.25)
    training, validation = split(config)
    assert validation
    assert not {s.group for s in training} & {s.group for s in validation}
    assert all(s.fold != 0 for s in training + validation)


def test_two_processes_train_one_network(drawn_data: Path, tmp_path: Path) -> None:
    config = settings(drawn_data, batch_size=4, samples_per_epoch=64, device="cpu", learning_rate=4e-3)
    (tmp_path / "config.json").write_text(config.model_dump_json())
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29517"]
    command += ["-m", "lesionlens", "train", str(tmp_path / "run"), "--config", str(tmp_path / "config.json")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert len(metrics) == 2
    assert metrics[1]["train_loss"] < metrics[0]["train_loss"]
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert len(state["random_states"]) == 2
    assert state["step"] == 16


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"train_folds": (7,)}, "hold no samples"),
        ({"validation_fold": 9}, "validation fold 9"),
        ({"architecture": "efficientnet_b99"}, "no architecture"),
        ({"start": Path("absent.safetensors")}, "absent.safetensors"),
    ],
)
def test_settings_that_cannot_work_are_told(
    drawn_data: Path, tmp_path: Path, changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(DataError, match=word):
        train(settings(drawn_data, **changes), tmp_path)


def test_a_fold_cannot_be_trained_and_validated_on(drawn_data: Path) -> None:
    with pytest.raises(ValueError, match="both trained on and validated on"):
        settings(drawn_data, train_folds=(1, 4))
