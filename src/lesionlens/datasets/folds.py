"""Splitting by lesion, never by picture."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from lesionlens.datasets.isic import Sample
from lesionlens.errors import DataError
from lesionlens.taxonomy import CODES

__all__ = ["assign_folds", "hold_out", "write_folds"]


def assign_folds(samples: Sequence[Sample], folds: int = 5, seed: int = 0) -> list[Sample]:
    """Give every sample a fold, stratified by class and source, with no lesion in two folds.

    Where no class of a source has as many pictures as there are folds, it is stratified by class alone, and where no
    class has, not at all.

    Args:
        samples: The samples; folds they have are replaced.
        folds: Number of folds, at least 2.
        seed: Makes the split repeatable.

    Raises:
        DataError: There are fewer groups than folds.
    """
    groups = [s.group for s in samples]
    if (lesions := len(set(groups))) < folds:
        raise DataError(f"{lesions} lesion{'s' * (lesions != 1)} cannot be split into {folds} folds")
    _, codes = np.unique(_strata(samples, folds), return_inverse=True)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold_of = np.empty(len(samples), dtype=np.int64)
    with warnings.catch_warnings():
        # A diagnosis that is rare in a source cannot be in every fold; its pictures are spread as far as they go.
        warnings.filterwarnings("ignore", "The least populated class in y", UserWarning)
        for fold, (_, test) in enumerate(splitter.split(codes, codes, groups)):
            fold_of[test] = fold
    return [replace(sample, fold=int(fold)) for sample, fold in zip(samples, fold_of, strict=True)]


def _strata(samples: Sequence[Sample], folds: int) -> list[str]:
    """Return the finest strata that scikit-learn accepts: one at least must have as many members as there are folds."""
    for strata in ([f"{s.source}/{s.label}" for s in samples], [str(s.label) for s in samples]):
        if max(Counter(strata).values()) >= folds:
            return strata
    return [""] * len(samples)


def hold_out(samples: Sequence[Sample], share: float, seed: int = 0) -> tuple[list[Sample], list[Sample]]:
    """Split off about a share of the samples, whole lesions at a time, stratified by class and source.

    Args:
        samples: The samples to split.
        share: 0–0.5; 0 holds nothing out. Of fewer than 1/share lesions one at least is held out.
        seed: Makes the split repeatable.

    Returns:
        The samples that stay, and those held out.

    Raises:
        DataError: The share is not accepted, or there are fewer than two lesions.
    """
    if not 0.0 <= share <= 0.5:
        raise DataError(f"the share to hold out must be between 0 and 0.5, not {share}")
    if share == 0.0:
        return list(samples), []
    folds = max(2, min(round(1.0 / share), len({s.group for s in samples})))
    split = assign_folds(samples, folds, seed)
    kept = [original for original, s in zip(samples, split, strict=True) if s.fold != 0]
    held = [original for original, s in zip(samples, split, strict=True) if s.fold == 0]
    return kept, held


def write_folds(samples: Sequence[Sample], path: Path) -> None:
    """Write a folds file that `read_samples` reads.

    Args:
        samples: Samples with folds.
        path: File to write; replaced if it is there.
    """
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "label", "source", "group", "fold", "width", "height"))
        writer.writerows((s.image, CODES[s.label], s.source, s.group, s.fold, s.width, s.height) for s in samples)
    temporary.replace(path)
