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
    assert_same(weights(tmp_path / "weights.pt"), weights(reference / "weights.pt"))
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
    assert_same(weights(tmp_path / "weights.pt"), weights(reference / "weights.pt"))


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
    before, after = weights(start), weights(tmp_path / "run" / "weights.pt")
    assert torch.equal(before["conv_stem.weight"], after["conv_stem.weight"])
    assert torch.equal(before["bn1.running_mean"], after["bn1.running_mean"])
    assert not torch.equal(before["conv_head.weight"], after["conv_head.weight"])


def test_no_lesion_is_on_both_sides_of_a_split(drawn_data: Path) -> None:
    config = settings(drawn_data, validation_fold=None, train_folds=(1, 2, 3, 4), validation_share=0.25)
    training, validation = split(config)
    assert validation
    assert not {s.group for s in training} & {s.group for s in validation}
    assert all(s.fold != 0 for s in training + validation)


def test_a_finished_run_is_not_trained_on(drawn_data: Path, tmp_path: Path) -> None:
    config = settings(drawn_data, stages=(Stage(epochs=8, size=48),), learning_rate=1e-9, patience=1)
    epochs = len(train(config, tmp_path).history)
    assert len(train(config, tmp_path, resume=True).history) == epochs


def test_a_run_that_is_there_is_not_overwritten(drawn_data: Path, reference: Path) -> None:
    before = (reference / "checkpoint.pt").read_bytes()
    with pytest.raises(DataError, match="holds a run already"):
        train(settings(drawn_data), reference)
    assert (reference / "checkpoint.pt").read_bytes() == before


def test_a_run_killed_before_its_first_checkpoint_starts_again(
    drawn_data: Path, tmp_path: Path, reference: Path
) -> None:
    (tmp_path / "config.json").write_text(settings(drawn_data).model_dump_json())
    assert train(settings(drawn_data), tmp_path, resume=True).finished
    assert_same(weights(tmp_path / "weights.pt"), weights(reference / "weights.pt"))


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"", b"\x80\x02cos\nsystem\n."])
def test_a_damaged_checkpoint_is_told(drawn_data: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(DataError, match=r"checkpoint\.pt is missing, damaged"):
        train(settings(drawn_data), tmp_path, resume=True)


TEAM = """
import hashlib, json, os, pathlib, sys
import torch
from lesionlens.training import loop
from lesionlens.training.config import TrainConfig

torch.set_num_threads(1)
folder = pathlib.Path(sys.argv[1])
rank = os.environ["RANK"]
config = TrainConfig.model_validate_json((folder / "settings.json").read_text())
loop._CHECKPOINT_SECONDS = 0.05  # each process looks at its own clock: they must still agree when to write
made = []
build = loop._Run._build_model
loop._Run._build_model = lambda run: (build(run), made.append(run))[0]
resume = (folder / "run" / "checkpoint.pt").exists()
result = loop.train(config, folder / "run", resume=resume, max_minutes=10 if resume else 0)
weights = b"".join(p.detach().numpy().tobytes() for p in made[-1].model.parameters())
said = {"history": result.history, "weights": hashlib.sha256(weights).hexdigest(), "finished": result.finished}
(folder / f"rank{rank}.json").write_text(json.dumps(said))
"""


def test_two_processes_train_one_network_and_agree_on_everything(drawn_data: Path, tmp_path: Path) -> None:
    config = settings(
        drawn_data, batch_size=4, samples_per_epoch=64, device="cpu", stages=(Stage(epochs=6, size=48),), patience=1
    )
    (tmp_path / "settings.json").write_text(config.model_dump_json())
    (tmp_path / "team.py").write_text(TEAM)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for finished in (False, True):  # stopped after its first step, then resumed
        done = subprocess.run(
            [*command, str(tmp_path / "team.py"), str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        one, other = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1))
        assert one == other
        assert one["finished"] is finished
    assert one["history"][-1]["epoch"] * 8 == steps_taken(tmp_path / "run" / "checkpoint.pt")


def steps_taken(path: Path) -> int:
    return int(torch.load(path, weights_only=True)["step"])


def test_torchrun_starts_the_command(drawn_data: Path, tmp_path: Path) -> None:
    config = settings(drawn_data, batch_size=4, samples_per_epoch=64, learning_rate=4e-3, device="cpu")
    (tmp_path / "config.json").write_text(config.model_dump_json())
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    command += ["lesionlens", "train", str(tmp_path / "run"), "--config", str(tmp_path / "config.json")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("Finished.") == 1
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics[1]["train_loss"] < metrics[0]["train_loss"]


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


def test_stopping_early_needs_something_to_judge_by(drawn_data: Path) -> None:
    with pytest.raises(ValueError, match="patience needs validation pictures"):
        settings(drawn_data, patience=2, validation_fold=None, validation_share=0.0)


def test_squashed_training_shows_the_whole_picture(drawn_data: Path) -> None:
    """A network that is served squashed pictures must not be trained on crops of them."""
    from lesionlens.datasets import ImageSource, read_samples
    from lesionlens.training.dataset import Draw, TrainingDataset

    plain = {"min_area": 1.0, "max_stretch": 1.0, "degrade": 0.0, "jpeg": 0.0, "brightness": 0.0, "saturation": 0.0}
    shares = {}
    for fit in ("squash", "center_crop"):
        spec = {"size": 64, "fit": fit, "mean": (0.5,) * 3, "std": (0.5,) * 3}
        config = settings(drawn_data, preprocessing=spec, augmentation=plain)
        dataset = TrainingDataset(read_samples(drawn_data), ImageSource(drawn_data), config)
        image, _ = dataset[Draw(0, 64, (0, 0, 0))]  # a melanoma: dark on light
        shares[fit] = float((image.mean(0) < -0.2).float().mean())
    assert shares["squash"] < 0.9 * shares["center_crop"], "the pictures are 80 × 64: squashed, a lesion is smaller"
