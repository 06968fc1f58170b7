"""Averaging the weights of several trainings of one network: better than each, at the price of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import torch
from torch import nn

from lesionlens.datasets import ImageSource
from lesionlens.errors import BundleError, DataError
from lesionlens.inference.bundle import Bundle
from lesionlens.inference.records import Ingredient, TrainingRecord
from lesionlens.training.config import TrainConfig
from lesionlens.training.dataset import TrainingDataset, TrainingSampler
from lesionlens.training.model import create_model, freeze_stages, load_start
from lesionlens.training.provenance import require_same_held_out, start_record
from lesionlens.training.record import training_record
from lesionlens.training.run_folder import RunFolder
from lesionlens.training.soup_record import SoupRecord
from lesionlens.training.splits import split

__all__ = ["BATCH_NORM_PICTURES", "average_runs"]

BATCH_NORM_PICTURES: Final = 1536
_SUM_TOLERANCE: Final = 1e-6


def average_runs(
    output: Path, sources: Sequence[Path], shares: Sequence[float], *, pictures: int = BATCH_NORM_PICTURES
) -> SoupRecord:
    """Average the weights of several trainings into a new run folder (Wortsman et al. 2022, *Model soups*).

    That helps where the trainings began at common weights, or one at the end of another, as then the weights between
    them are as good as they are. The statistics of the batch norms, which do not average, are taken anew from training
    pictures, varied as in training (Izmailov et al. 2018, *Averaging Weights Leads to Wider Optima*).

    Args:
        output: Folder of the new run; `lesionlens export` takes it like any other.
        sources: Run folders and bundle folders. The last run among them says what the pictures are and how they are
            varied.
        shares: Weight of each source, above 0, together 1.
        pictures: Number of training pictures for the batch norms.

    Raises:
        DataError: The shares do not fit, the output holds a run already, no source is a run, or the sources are not
            of one network trained on the same pictures.
    """
    _check_shares(sources, shares)
    runs = [RunFolder(source) for source in sources if (source / "config.json").is_file()]
    if not runs:
        raise DataError("none of the sources is a run folder; one is needed to know the pictures of the batch norms")
    folder, config = RunFolder(output), runs[-1].read_config()
    if folder.weights.exists():
        raise DataError(f"{output} holds a run already; name another folder")
    parts = [_read(source, config) for source in sources]
    model = create_model(config.architecture)
    model.load_state_dict(_mean([weights for weights, _, _ in parts], shares))
    used = _measure_batch_norms(model, config, pictures)
    record = SoupRecord(
        ingredients=tuple(
            Ingredient(share=share, weights=title, training=training)
            for share, (_, title, training) in zip(shares, parts, strict=True)
        ),
        batch_norm_pictures=used,
    )
    folder.write_config(config.model_copy(update={"start": None}))
    record.write(folder.soup)
    folder.save(folder.weights, dict(model.state_dict()))
    return record


def _check_shares(sources: Sequence[Path], shares: Sequence[float]) -> None:
    if len(sources) < 2:
        raise DataError("an average needs at least two sources")
    if len(shares) != len(sources) or min(shares) <= 0.0 or abs(sum(shares) - 1.0) > _SUM_TOLERANCE:
        given = ", ".join(f"{share:g}" for share in shares) or "none"
        raise DataError(f"{len(sources)} sources need as many shares above 0 that sum to 1; given: {given}")


def _read(source: Path, config: TrainConfig) -> tuple[Mapping[str, torch.Tensor], str, TrainingRecord | None]:
    """Return a source's weights, what to call it, and how it was made."""
    model = create_model(config.architecture)
    folder = RunFolder(source) if (source / "config.json").is_file() else None
    if folder is None:
        try:
            record = start_record(source)
        except BundleError as error:
            raise DataError(f"{source} is neither a run folder nor a bundle: {error}") from error
        if record is None:
            raise DataError(f"{source} is neither a run folder nor a bundle")
        _require_architecture(Bundle.load(source).manifest.architecture, config, source)
        require_same_held_out(config, record)
        load_start(model, source)
        return model.state_dict(), record.title, record.training
    own = folder.read_config()
    _require_architecture(own.architecture, config, source)
    training, validation = split(own)
    if {s.image for s in validation} != {s.image for s in split(config)[1]}:
        raise DataError(f"the run {source} kept other pictures out of its training than the last one did")
    return folder.load(folder.weights), f"run {folder.path.name}", training_record(folder, training, validation)


def _require_architecture(architecture: str, config: TrainConfig, source: Path) -> None:
    if architecture != config.architecture:
        raise DataError(f"{source} is a {architecture}; the last run is a {config.architecture}")


def _mean(states: Sequence[Mapping[str, torch.Tensor]], shares: Sequence[float]) -> dict[str, torch.Tensor]:
    mean = {}
    for name, last in states[-1].items():
        if last.is_floating_point():
            terms = [share * state[name].double() for share, state in zip(shares, states, strict=True)]
            mean[name] = torch.stack(terms).sum(dim=0).to(last.dtype)
        else:
            mean[name] = last
    return mean


def _measure_batch_norms(model: nn.Module, config: TrainConfig, pictures: int) -> int:
    """Set the statistics of the batch norms that were trained to their means over training pictures; say how many."""
    kept = {id(m) for stage in freeze_stages(model, config.freeze) for m in stage.modules()}
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d) and id(m) not in kept]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # PyTorch's word for the plain mean of all batches
    model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for norm in norms:
        norm.train()
    training, _ = split(config)
    sampler = TrainingSampler(training, config)
    sampler.epoch = config.epochs - 1
    dataset = TrainingDataset(training, ImageSource(config.data), config)
    batches = max(1, min(pictures, len(sampler)) // config.batch_size)
    draws = islice(iter(sampler), batches * config.batch_size)
    with torch.no_grad():
        for _ in range(batches):
            batch = torch.stack([dataset[draw][0] for draw in islice(draws, config.batch_size)])
            model(batch.to(memory_format=torch.channels_last))
    model.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return batches * config.batch_size
