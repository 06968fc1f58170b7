"""Which pictures a bundle may be calibrated on: none that it was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from lesionlens.datasets import Sample, read_samples
from lesionlens.errors import DataError
from lesionlens.evaluation.run import choose
from lesionlens.inference.bundle import Manifest
from lesionlens.inference.lineage import trained_folds
from lesionlens.training.config import TrainConfig
from lesionlens.training.provenance import HELD_OUT
from lesionlens.training.splits import split

__all__ = ["Pictures", "held_out_by", "pictures_of", "words"]


class Pictures(NamedTuple):
    """The pictures for fitting what is fitted after training.

    Attributes:
        training: Pictures that the network was trained on; where that is not known, labelled ones of the same data.
        held_out: Pictures to calibrate on, at least one; no lesion is in both.
        measured_on: The latter in words.
        fold: The fold that they are; None for a share of the training folds.
    """

    training: list[Sample]
    held_out: list[Sample]
    measured_on: str
    fold: int | None


def words(config: TrainConfig, validation: list[Sample]) -> str:
    """Say which pictures a run kept out of training."""
    if config.validation_fold is not None:
        return f"{len(validation)} pictures of fold {config.validation_fold}"
    return f"{len(validation)} pictures of folds {', '.join(map(str, config.train_folds))} kept out of training"


def pictures_of(manifest: Manifest, data: Path, folds_file: Path | None = None, fold: int | None = None) -> Pictures:
    """Find the pictures to calibrate a bundle on.

    Args:
        manifest: The bundle's manifest. Its recipe says what training kept out: splitting is repeatable.
        data: Data folder in the official ISIC 2019 layout.
        folds_file: Folds file; None for the one in the data folder.
        fold: Take this fold instead of what the recipe kept out.

    Raises:
        DataError: The data cannot be read or have no folds, the bundle was trained on the fold, or no fold was given
            and the manifest does not say what was kept out.
    """
    recipe = manifest.training.recipe if manifest.training else {}
    if fold is None or fold == recipe.get("validation_fold"):
        return held_out_by(_config(manifest, data, folds_file))
    if fold in (seen := trained_folds(manifest)):
        raise DataError(
            f"{manifest.name} was trained on fold {fold}, so it is surer of those pictures than of new ones: take a "
            f"fold that is not among {', '.join(map(str, seen))}, or give none for the pictures that training kept out"
        )
    samples = read_samples(data, folds_file)
    chosen = choose(samples, fold)
    if recipe:
        training, _ = split(_config(manifest, data, folds_file))
    else:
        training = [s for s in samples if s.fold != fold]
    return Pictures(training, chosen, f"{len(chosen)} pictures of fold {fold}", fold)


def held_out_by(config: TrainConfig) -> Pictures:
    """Return the pictures that a run with these settings keeps out of training, and the others.

    Raises:
        DataError: The data cannot be read or have no folds, or the run kept nothing out.
    """
    training, held_out = split(config)
    if not held_out:
        raise DataError(
            "training kept no pictures out (its validation_share is 0); name a fold that it did not see with --fold"
        )
    return Pictures(training, held_out, words(config, held_out), config.validation_fold)


def _config(manifest: Manifest, data: Path, folds_file: Path | None) -> TrainConfig:
    recipe = manifest.training.recipe if manifest.training else {}
    missing = [name for name in HELD_OUT if name not in recipe]
    if missing:
        raise DataError(
            f"the manifest of {manifest.name} does not say which pictures were kept out of training (no "
            f"{', '.join(missing)} in its recipe); name a fold that it was not trained on with --fold"
        )
    try:
        # What the split depends on and no more: a recipe of another version may have settings that this one lacks.
        return TrainConfig(data=data, folds_file=folds_file, **{name: recipe[name] for name in HELD_OUT})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "recipe"
        raise DataError(
            f"the recipe in the manifest of {manifest.name} is not valid: {where}: {first['msg']}"
        ) from error
