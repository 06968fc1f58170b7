"""The training loop: one run from settings to averaged weights, stoppable and resumable at any step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from lesionlens.datasets import ImageSource
from lesionlens.errors import DataError
from lesionlens.training.average import WeightAverage
from lesionlens.training.config import TrainConfig
from lesionlens.training.cpu import keep_freed_memory, quicken_depthwise
from lesionlens.training.dataset import EvaluationDataset, TrainingDataset, TrainingSampler
from lesionlens.training.distributed import Processes, processes
from lesionlens.training.judge import judge
from lesionlens.training.model import create_model, freeze_stages, load_start
from lesionlens.training.objective import Objective
from lesionlens.training.progress import Progress, TrainResult
from lesionlens.training.provenance import require_same_held_out, start_record
from lesionlens.training.randomness import random_state, restore_random_state, seed_everything
from lesionlens.training.resume import require_same_run
from lesionlens.training.run_folder import RunFolder
from lesionlens.training.schedule import learning_rate
from lesionlens.training.setup import make_loader, make_optimizer
from lesionlens.training.splits import split

__all__ = ["Progress", "TrainResult", "train"]

_CHECKPOINT_SECONDS: Final = 120.0
_TELL_EVERY: Final = 20  # steps on a GPU


def train(
    config: TrainConfig,
    folder: Path,
    *,
    resume: bool = False,
    max_minutes: float = math.inf,
    report: Callable[[Progress], None] = lambda _: None,
) -> TrainResult:
    """Train a network.

    Args:
        config: The run's settings; with `resume`, they must be those that the run began with.
        folder: The run's folder.
        resume: Go on from the checkpoint in `folder`. The result is the same as without the stop.
        max_minutes: Stop cleanly, with a checkpoint, after this time.
        report: Called after every step in the leading process.

    Raises:
        DataError: The data, the starting weights or the checkpoint cannot be used.
    """
    device = config.device if config.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cpu":
        keep_freed_memory()
    with processes(device) as team:
        return _Run(config, RunFolder(folder), device, team, report, resume).go(max_minutes)


class _Run:
    def __init__(
        self,
        config: TrainConfig,
        folder: RunFolder,
        device: str,
        team: Processes,
        report: Callable[[Progress], None],
        resume: bool,
    ) -> None:
        self.config, self.folder, self.team, self.report = config, folder, team, report
        self.resumes = resume and folder.checkpoint.is_file()
        self.device = torch.device(device, team.local_rank) if device == "cuda" else torch.device(device)
        seed_everything(config.seed + team.rank)
        self.start = None if self.resumes else start_record(config.start)
        if self.start is not None:
            require_same_held_out(config, self.start)
        training, validation = split(config)
        source = ImageSource(config.data)
        self.sampler = TrainingSampler(training, config, team.rank, team.world)
        self.loader = make_loader(TrainingDataset(training, source, config), config, self.device, self.sampler)
        self.validation_loader = make_loader(EvaluationDataset(validation, source, config), config, self.device)
        self._build_model()
        self.steps_per_epoch = len(self.sampler) // config.batch_size
        self.steps = self.steps_per_epoch * config.epochs
        self.step = 0
        self.loss_sum = torch.zeros((), device=self.device)
        self.history: list[dict[str, float]] = []
        self.epoch_seconds = 0.0

    def _build_model(self) -> None:
        config = self.config
        model = create_model(config.architecture, dropout=config.dropout, drop_path=config.drop_path)
        if config.start is not None and not self.resumes:  # a checkpoint needs no start, which may be far away
            load_start(model, config.start)
        model = self._place(model)
        self.frozen = freeze_stages(model, config.freeze)
        if self.device.type == "cpu" and config.precision == "bf16":
            quicken_depthwise(model)
        self.model = model
        # A network of its own for validation: the averaged weights, and none of the changes made for training.
        self.judged = self._place(create_model(config.architecture)).eval()
        self.optimizer = make_optimizer(model, config)
        self.parallel: nn.Module = DistributedDataParallel(model) if self.team.world > 1 else model
        if config.compile:
            self.parallel = torch.compile(self.parallel)  # type: ignore[assignment]
        self.objective = Objective(config, self._place, self._autocast)
        # After the leading process's weights have reached all.
        self.average = WeightAverage(model, config.average_decay)

    def _place(self, model: nn.Module) -> nn.Module:
        return model.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def go(self, max_minutes: float) -> TrainResult:
        deadline = time.monotonic() + max_minutes * 60.0
        self._begin()
        while not (finished := self._finished()):
            if not self._epoch(deadline):
                self._save()
                finished = self._finished()
                break
        return TrainResult(finished, self.folder.weights if finished else self.folder.checkpoint, self.history)

    def _begin(self) -> None:
        if self.resumes:
            self._load()
        elif self.folder.checkpoint.is_file():
            raise DataError(f"{self.folder.path} holds a run already: resume it, or name another folder")
        elif self.team.leads:
            self.folder.write_config(self.config)
            if self.start is not None:
                self.start.write(self.folder.start)

    def _finished(self) -> bool:
        return self.step >= self.steps or self._stale()

    def _epoch(self, deadline: float) -> bool:
        """Train to the end of the epoch; return False when the time is up."""
        epoch, done = divmod(self.step, self.steps_per_epoch)
        self.sampler.epoch = epoch
        self.sampler.start = done * self.config.batch_size
        self.parallel.train()
        for module in self.frozen:
            module.eval()
        began = saved = time.monotonic()
        late = False
        for images, labels in self.loader:
            self._step(images, labels)
            # Asking a GPU for its loss waits for it; it should have the next steps in hand already.
            if self.device.type == "cpu" or self.step % _TELL_EVERY == 0:
                self._tell(epoch)
            now = time.monotonic()
            late, save = self.team.any_of(now > deadline, now - saved > _CHECKPOINT_SECONDS)
            if self.step % self.steps_per_epoch == 0:
                break
            if late or save:
                self.epoch_seconds += now - began
                if late:
                    return False
                self._save()
                began = saved = time.monotonic()
        self.epoch_seconds += time.monotonic() - began
        self._finish_epoch(epoch)
        return not late

    def _step(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        images = images.to(self.device, memory_format=torch.channels_last, non_blocking=True)
        labels = labels.to(self.device, non_blocking=True)
        loss = self.objective(self.parallel, images, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.model)
        self.loss_sum += loss.detach()
        self.step += 1

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.config.precision == "bf16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return nullcontext()

    def _learning_rate(self) -> float:
        return learning_rate(self.step, self.steps, self.config)

    def _tell(self, epoch: int, message: str = "") -> None:
        if self.team.leads:
            taken = self.step - epoch * self.steps_per_epoch
            images = self.config.batch_size * self.team.world
            mean_loss = self.loss_sum.item() / max(1, taken)
            self.report(Progress(epoch, self.step, self.steps, images, mean_loss, message))

    def _finish_epoch(self, epoch: int) -> None:
        mean_loss = sum(self.team.gather(self.loss_sum.item())) / self.steps_per_epoch / self.team.world
        row: dict[str, float] = {
            "epoch": epoch + 1,
            "size": self.config.size_at(epoch),
            "learning_rate": self._learning_rate(),
            "train_loss": round(mean_loss, 5),
            **(self._judge() if self.team.leads else {}),
            "images_per_second": round(len(self.sampler) * self.team.world / max(self.epoch_seconds, 1e-9), 2),
            "seconds": round(self.epoch_seconds, 1),
        }
        self.history.append(self.team.from_leader(row))
        self.loss_sum.zero_()
        self.epoch_seconds = 0.0
        if self.team.leads:
            # Without early stopping the schedule's end is taken: the best of several noisy scores would be luck.
            if not self.config.patience or row["balanced_accuracy"] >= max(
                r["balanced_accuracy"] for r in self.history
            ):
                self.folder.save(self.folder.weights, dict(self.average.state))
            self.folder.write_metrics(self.history)
        self._save()
        row = self.history[-1]
        self._tell(
            epoch,
            f"epoch {epoch + 1}/{self.config.epochs} at {row['size']} px: training loss {row['train_loss']:.3f}, "
            f"validation loss {row['validation_loss']:.3f}, balanced accuracy {row['balanced_accuracy']:.3f}, "
            f"malignant AUC {row['malignant_auc']:.3f}",
        )

    def _judge(self) -> dict[str, float]:
        """Judge the leading process's averaged weights, which are those that are kept."""
        self.judged.load_state_dict(self.average.state)
        return judge(self.judged, self.validation_loader, self.device, self._autocast())

    def _stale(self) -> bool:
        """Whether the last `patience` epochs brought nothing better."""
        scores = [row["balanced_accuracy"] for row in self.history]
        if not self.config.patience or not scores:
            return False
        return len(scores) - 1 - int(np.argmax(scores)) >= self.config.patience

    def _save(self) -> None:
        processes = self.team.gather({"random": random_state(), "loss_sum": self.loss_sum.item()})
        if not self.team.leads:
            return
        self.folder.save(
            self.folder.checkpoint,
            {
                "model": self.model.state_dict(),
                "average": self.average.state,
                "average_steps": self.average.steps,
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "epoch_seconds": self.epoch_seconds,
                "history": self.history,
                "processes": processes,
                "config": self.config.model_dump_json(),
            },
        )

    def _load(self) -> None:
        state = self.folder.load(self.folder.checkpoint)
        require_same_run(state, self.config, self.team.world, self.folder.path)
        own = state["processes"][self.team.rank]
        self.model.load_state_dict(state["model"])
        for name, value in state["average"].items():
            self.average.state[name].copy_(value)
        self.average.steps = state["average_steps"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.history = state["step"], state["history"]
        self.epoch_seconds = state["epoch_seconds"]
        self.loss_sum.fill_(own["loss_sum"])
        restore_random_state(own["random"])
