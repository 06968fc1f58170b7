"""Weights of a whole EfficientNet-B5, made without PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lesionlens.conversion.template import shapes
from weights_writer import Array, save_pth


def _random_weights(seed: int = 0) -> dict[str, Array]:
    """Weights that keep the signal's size from layer to layer (He et al. 2015), as half-precision floats."""
    rng = np.random.default_rng(seed)
    made: dict[str, Array] = {}
    for key, shape in shapes().items():
        if key.endswith("num_batches_tracked"):
            made[key] = np.array(3, np.int64)
        elif len(shape) > 1:
            spread = math.sqrt(2 / math.prod(shape[1:]))
            made[key] = (spread * rng.standard_normal(shape, dtype=np.float32)).astype(np.float16)
        else:
            made[key] = np.full(shape, 1.0 if key.endswith(("bn1.weight", "bn2.weight", "var")) else 0.01, np.float16)
    return made


@pytest.fixture(scope="session")
def weights() -> dict[str, Array]:
    return _random_weights()


@pytest.fixture(scope="session")
def model_pth(weights: dict[str, Array], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("b5") / "model.pth"
    yield save_pth(path, {f"module.{key}": array for key, array in weights.items()})
    path.unlink()  # 57 MB, of which pytest would keep three
