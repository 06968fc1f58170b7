"""Fits the pixel classifier that outlines lesions (`lesionlens.tracker.change.pixels`) on pictures with masks.

    python -m lesionlens.training.outline --data DATA --folds 2 3 4 --pictures 500 --output outline.npz

The first stage is fitted on the pictures' features. The second needs the first one's answers on pictures that it has
not seen, or it would learn to trust it too much: so the first stage is fitted on each half of the pictures as well, and
each half's answers come from the other one. What they learn from: `lesionlens.training.outline_examples`.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from lesionlens.tracker.change.features import appearance, context
from lesionlens.tracker.change.pixels import Stage, Stages
from lesionlens.training.outline_examples import Example, draw_examples, pictures_with_masks

__all__ = ["fit_stages", "save"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_HIDDEN: Final = (64, 32)
_RATES: Final = ((2e-3, 10), (3e-4, 5))  # Adam's learning rate, and epochs at it
_BATCH: Final = 512
_LICENCE: Final = (
    "Fitted on HAM10000 pictures and masks (Tschandl et al. 2018, 2020), CC BY-NC 4.0: for research, not commercially."
)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    features: Floats
    lesion: Bools
    picture: npt.NDArray[np.int64]

    def of_half(self, half: int) -> _Table:
        chosen = self.picture % 2 == half
        return _Table(self.features[chosen], self.lesion[chosen], self.picture[chosen])


def _fit(table: _Table, seed: int) -> Stage:
    mean = table.features.mean(axis=0)
    scale = table.features.std(axis=0) + np.float32(1e-3)
    empty = Stage(mean, scale, (), ())
    features = empty.standardise(table.features)
    network = MLPClassifier(
        _HIDDEN, batch_size=min(_BATCH, len(features)), alpha=1e-4, warm_start=True, random_state=seed, tol=0.0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is chosen, not found
        for rate, epochs in _RATES:
            network.set_params(learning_rate_init=rate, max_iter=epochs, n_iter_no_change=epochs + 1)
            network.fit(features, table.lesion)
    return Stage(
        mean,
        scale,
        tuple(w.astype(np.float32) for w in network.coefs_),
        tuple(b.astype(np.float32) for b in network.intercepts_),
    )


def fit_stages(examples: Sequence[Example], rows: int, seed: int, about: str) -> Stages:
    """Fit both stages.

    Args:
        examples: Pictures to learn from, of even and odd numbers.
        rows: Pixels drawn from each of them.
        seed: The same seed gives the same stages on the same machine.
        about: What to remember of how they were fitted.
    """
    rng = np.random.default_rng(seed)
    lesion, picture = [], []
    drawn = [rng.integers(e.mask.size, size=rows) for e in examples]
    for example, where in zip(examples, drawn, strict=True):
        lesion.append(example.mask.ravel()[where])
        picture.append(np.full(rows, example.picture))
    labels, numbers = np.concatenate(lesion), np.concatenate(picture)

    def pick(planes: Floats, where: npt.NDArray[np.int64]) -> Floats:
        return planes.reshape(-1, planes.shape[-1])[where]

    seen = [pick(appearance(e.lab.astype(np.float32)), w) for e, w in zip(examples, drawn, strict=True)]
    table = _Table(np.concatenate(seen), labels, numbers)
    halves = [_fit(table.of_half(half), seed) for half in (0, 1)]
    first = _fit(table, seed)
    told = []
    for example, where in zip(examples, drawn, strict=True):
        lab = example.lab.astype(np.float32)
        features = appearance(lab)
        told.append(pick(context(features, lab, halves[1 - example.picture % 2](features)), where))
    return Stages(first, _fit(_Table(np.concatenate(told), labels, numbers), seed), about)


def save(stages: Stages, path: Path) -> None:
    """Write stages as `load_stages` reads them.

    Args:
        stages: What was fitted.
        path: The `.npz` file; replaced if it is there.
    """
    arrays: dict[str, Any] = {**stages.first.arrays("first"), **stages.second.arrays("second")}
    with path.open("wb") as file:
        np.savez_compressed(file, about=np.array(stages.about), **arrays)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data folder with folds, pictures and masks")
    parser.add_argument("--folds", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--pictures", type=int, default=500, help="lesions to learn from")
    parser.add_argument("--rows", type=int, default=160, help="pixels drawn from each picture")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True, help="the .npz file to write")
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    rng = np.random.default_rng(options.seed)
    examples: list[Example] = []
    pictures = pictures_with_masks(options.data, options.folds, options.pictures, options.seed)
    lesions = 0
    for lesions, (_, pixels, mask) in enumerate(pictures, 1):
        examples += draw_examples(lesions, pixels, mask, rng)
    about = {
        "licence": _LICENCE,
        "folds": options.folds,
        "lesions": lesions,
        "examples": len(examples),
        "rows": options.rows,
        "seed": options.seed,
    }
    save(fit_stages(examples, options.rows, options.seed, json.dumps(about)), options.output)
    print(f"{len(examples)} pictures of {lesions} lesions in {time.perf_counter() - began:.0f} s: {options.output}")


if __name__ == "__main__":
    main()
