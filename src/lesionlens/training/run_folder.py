"""The folder of a run: its settings, checkpoint, per-epoch metrics and curves."""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import torch
from pydantic import ValidationError

from lesionlens.errors import DataError
from lesionlens.training.config import TrainConfig

__all__ = ["RunFolder"]


class RunFolder:
    """Files of a training run.

    `config.json` the settings · `start.json` the bundle it goes on from, if any · `soup.json` what its weights are an
    average of, if they are one · `checkpoint.pt` the latest state ·
    `weights.pt` the averaged weights to use · `metrics.csv` a row per epoch · `curves.png` the same as a picture.

    Args:
        path: The folder; made if it is missing.
    """

    COLUMNS: Final = (
        "epoch",
        "size",
        "learning_rate",
        "train_loss",
        "validation_loss",
        "balanced_accuracy",
        "malignant_auc",
        "images_per_second",
        "seconds",
    )

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path

    @property
    def checkpoint(self) -> Path:
        """Latest state of the run."""
        return self.path / "checkpoint.pt"

    @property
    def weights(self) -> Path:
        """Averaged weights to use: the last, or with early stopping the best by validation balanced accuracy."""
        return self.path / "weights.pt"

    @property
    def start(self) -> Path:
        """Record of the bundle that the run went on from; missing if it was none."""
        return self.path / "start.json"

    @property
    def soup(self) -> Path:
        """Record of what the weights are an average of; missing unless they are one."""
        return self.path / "soup.json"

    def write_config(self, config: TrainConfig) -> None:
        """Keep the settings."""
        _replace(self.path / "config.json", (config.model_dump_json(indent=2) + "\n").encode())

    def read_config(self) -> TrainConfig:
        """Return the settings of the run.

        Raises:
            DataError: The folder holds no run, or one of another version.
        """
        path = self.path / "config.json"
        if not path.is_file():
            raise DataError(f"{self.path} holds no training run: config.json is missing")
        try:
            return TrainConfig.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise DataError(f"{path} is not the configuration of a run of this version: {error}") from error

    def save(self, path: Path, state: dict[str, Any]) -> None:
        """Write a state so that a kill leaves either the old file or the new one."""
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def load(self, path: Path) -> dict[str, Any]:
        """Read a state; only tensors and plain values are accepted.

        Raises:
            DataError: The file is missing, damaged or holds anything else.
        """
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
            # PyTorch's own message can be an advice to switch its protection off.
            raise DataError(f"{path} is missing, damaged, or holds more than tensors and plain values") from error
        return state

    def write_metrics(self, history: list[dict[str, float]]) -> None:
        """Write the metrics of all epochs, as a table and as curves."""
        temporary = self.path / "metrics.tmp"
        with temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.COLUMNS)
            writer.writeheader()
            writer.writerows(history)
        temporary.replace(self.path / "metrics.csv")
        _replace(self.path / "metrics.json", json.dumps(_finite(history), indent=1, allow_nan=False).encode())
        _draw(history, self.path / "curves.png")


def _finite(history: list[dict[str, float]]) -> list[dict[str, float | None]]:
    return [{name: value if math.isfinite(value) else None for name, value in row.items()} for row in history]


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def _draw(history: list[dict[str, float]], path: Path) -> None:
    from matplotlib.figure import Figure  # slow to import; a run draws once an epoch

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    for name in ("train_loss", "validation_loss"):
        left.plot(epochs, [row[name] for row in history], marker="o", label=name.replace("_", " "))
    for name in ("balanced_accuracy", "malignant_auc"):
        right.plot(epochs, [row[name] for row in history], marker="o", label=name.replace("_", " "))
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=110)
