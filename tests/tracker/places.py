"""What the tracker's tests share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lesionlens.tracker import NewAnalysis
from synthetic import jpeg
from synthetic import lesion as drawn


@dataclass(frozen=True)
class Place:
    """Where a store is.

    `settle` waits until nothing that a killed process had begun goes on.
    """

    data_dir: Path
    url: str | None = None
    settle: Callable[[], None] = lambda: None


@cache
def photo(seed: int = 0) -> bytes:
    """A small JPEG, another for each seed."""
    return jpeg(drawn(seed % 8, seed))


def analysis(**changes: Any) -> NewAnalysis:
    """An answer with values that no rounding would leave alone."""
    probabilities = np.array([0.1, 0.7, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01], dtype=np.float32)
    given: dict[str, Any] = {
        "model": "lite2",
        "version": "1.0",
        "graph_sha256": "a" * 64,
        "engine": "onnxruntime",
        "prediction": 1,
        "probabilities": tuple(float(p) for p in probabilities),
        "logits": tuple(float(v) for v in np.linspace(-3, 2, 8, dtype=np.float32) / 3),
        "malignant_probability": 0.17,
        "seen_box": (0.125, 0.0, 0.875, 1.0),
        "prediction_set": (1, 0),
        "suitability": {"suitable": True, "score": 0.3, "reasons": []},
        "quality": {"sharpness": 0.25, "hints": [{"code": "blurred", "message": "Hold still."}]},
        "maps": np.random.default_rng(0).random((8, 7, 5), dtype=np.float32),
    }
    return NewAnalysis(**given | changes)
