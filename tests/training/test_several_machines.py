"""A training on two machines, as `torchrun --nnodes 2` starts it on each; here both are this one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from lesionlens.training.config import Stage, TrainConfig

pytestmark = pytest.mark.train


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_two_machines_train_one_network(drawn_data: Path, tmp_path: Path) -> None:
    config = TrainConfig.model_validate(
        {
            "data": drawn_data,
            "architecture": "test_efficientnet",
            "stages": (Stage(epochs=2, size=48),),
            "preprocessing": {"size": 48, "mean": (0.5,) * 3, "std": (0.5,) * 3},
            "batch_size": 4,
            "samples_per_epoch": 64,
            "learning_rate": 4e-3,
            "validation_fold": 4,
            "train_folds": (1, 2, 3),
            "workers": 0,
            "average_decay": 0.9,
            "device": "cpu",
        }
    )
    (tmp_path / "config.json").write_text(config.model_dump_json())
    command = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{free_port()}", "--rdzv-id", "mine"]
    command += ["-m", "lesionlens", "train", str(tmp_path / "run"), "--config", str(tmp_path / "config.json")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    machines = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    try:
        said = [machine.communicate(timeout=900)[1] for machine in machines]
    finally:
        for machine in machines:
            machine.kill()
            machine.wait()
    assert [machine.returncode for machine in machines] == [0, 0], "\n".join(text[-3000:] for text in said)
    assert sum(text.count("Finished.") for text in said) == 1  # one process leads, wherever it is
    history = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert history[1]["train_loss"] < history[0]["train_loss"]
    assert (tmp_path / "run" / "weights.pt").is_file()
