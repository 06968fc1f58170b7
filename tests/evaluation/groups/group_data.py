"""Predictions with traits, made up for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from made_predictions import made

from lesionlens.evaluation import Predictions
from lesionlens.evaluation.traits import Traits


def traits(
    n: int,
    sex: Sequence[str] | None = None,
    age: Sequence[int] | None = None,
    site: Sequence[str] | None = None,
    ita: Sequence[float] | None = None,
) -> Traits:
    return Traits(
        sex=np.array(sex if sex is not None else [""] * n, dtype=np.str_),
        age=np.array(age if age is not None else [-1] * n, dtype=np.int64),
        site=np.array(site if site is not None else [""] * n, dtype=np.str_),
        ita=np.array(ita if ita is not None else [np.nan] * n, dtype=np.float32),
    )


def scored(
    malignant: Sequence[bool],
    scores: Sequence[float],
    sources: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
) -> Predictions:
    """Melanomas and nevi with given malignant probabilities."""
    p = np.clip(np.asarray(scores, dtype=np.float64), 1e-4, 1 - 1e-4)
    logits = np.full((len(p), 8), -20.0)
    logits[:, 0], logits[:, 1] = np.log(p), np.log(1 - p)
    return made([0 if m else 1 for m in malignant], logits, groups, sources)


def with_traits(predictions: Predictions, **columns: Sequence[str] | Sequence[int] | Sequence[float]) -> Predictions:
    return replace(predictions, traits=traits(len(predictions), **columns))  # type: ignore[arg-type]
