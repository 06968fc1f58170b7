"""Which samples a run trains on and which it is judged on."""

from __future__ import annotations

from lesionlens.datasets import Sample, read_samples
from lesionlens.datasets.folds import hold_out
from lesionlens.errors import DataError
from lesionlens.training.config import TrainConfig

__all__ = ["split"]


def split(config: TrainConfig) -> tuple[list[Sample], list[Sample]]:
    """Return the training and the validation samples of a run, no lesion in both.

    Raises:
        DataError: The data cannot be read, has no folds, or a split is empty.
    """
    samples = read_samples(config.data, config.folds_file)
    if any(s.fold is None for s in samples):
        raise DataError("the samples have no folds; make a folds file with `lesionlens data folds`")
    training = [s for s in samples if s.fold in config.train_folds]
    if not training:
        raise DataError(f"folds {config.train_folds} hold no samples")
    if config.validation_fold is None:
        return hold_out(training, config.validation_share, config.seed)
    validation = [s for s in samples if s.fold == config.validation_fold]
    if not validation:
        raise DataError(f"validation fold {config.validation_fold} holds no samples")
    return training, validation
