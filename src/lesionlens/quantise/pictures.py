"""Which pictures a bundle is quantised with, and which ones it is then judged on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lesionlens.datasets import Sample
from lesionlens.errors import DataError
from lesionlens.inference.bundle import Manifest
from lesionlens.inference.lineage import trained_folds

__all__ = ["Pictures", "draw"]


class Pictures(NamedTuple):
    """The pictures that quantising takes.

    Attributes:
        calibration: Ranges are measured and parts chosen on them; none is of the fold that is measured on.
        measured: What the answers are compared on.
        measured_on: The latter in words.
    """

    calibration: list[Sample]
    measured: list[Sample]
    measured_on: str


def draw(
    samples: Sequence[Sample], manifest: Manifest, *, fold: int, calibration: int, limit: int | None, seed: int = 0
) -> Pictures:
    """Draw the pictures.

    Those for calibration are as many of each diagnosis as there are: the ranges must hold what rare lesions look like.

    Args:
        samples: All samples of a data folder.
        manifest: Of the bundle that is quantised.
        fold: The fold to compare on.
        calibration: How many pictures of the other folds to take, at least 1.
        limit: Compare on this many pictures of the fold, drawn at random; None for all.
        seed: Of both draws.

    Raises:
        DataError: The data has no such fold or no other, or the bundle was trained on the fold.
    """
    if fold in (trained := trained_folds(manifest)):
        raise DataError(
            f"{manifest.name} was trained on fold {fold}: its answers there are surer than to new pictures, and move "
            f"less; take a fold that is not among {', '.join(map(str, trained))}"
        )
    measured = [sample for sample in samples if sample.fold == fold]
    others = [sample for sample in samples if sample.fold is not None and sample.fold != fold]
    if not measured or not others:
        known = sorted({sample.fold for sample in samples if sample.fold is not None})
        raise DataError(
            f"there must be pictures in fold {fold} and in others; there are the folds "
            f"{', '.join(map(str, known)) or 'none, for the data has no folds file'}"
        )
    rng = np.random.default_rng(seed)
    if limit is not None and limit < len(measured):
        kept = sorted(rng.choice(len(measured), size=limit, replace=False))
        words = f"{limit} pictures of fold {fold}, drawn at random"
        measured = [measured[i] for i in kept]
    else:
        words = f"{len(measured)} pictures of fold {fold}"
    return Pictures(_even(others, calibration, rng), measured, words)


def _even(samples: Sequence[Sample], count: int, rng: np.random.Generator) -> list[Sample]:
    """Draw pictures diagnosis by diagnosis in turn, until there are enough or none is left."""
    by_label: dict[int, list[Sample]] = {}
    for i in rng.permutation(len(samples)):
        by_label.setdefault(samples[i].label, []).append(samples[i])
    rows = [by_label[label] for label in sorted(by_label)]
    turns = [row[turn] for turn in range(max(map(len, rows))) for row in rows if turn < len(row)]
    return turns[:count]
