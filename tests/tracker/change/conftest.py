"""Real lesions with masks, for the tests of change between visits."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

Lesion = tuple[Image.Image, npt.NDArray[np.bool_]]


@pytest.fixture(scope="session")
def real_lesions(
    shared_data: Path, fold_rows: dict[str, dict[str, str]], real_image: Callable[[str], bytes]
) -> list[Lesion]:
    """Twenty-four test-fold pictures of different lesions, with the masks that people drew or checked."""
    from lesionlens.datasets.masks import MaskSource

    masks = MaskSource(shared_data)
    groups: dict[str, str] = {}
    for name, row in fold_rows.items():
        if row["fold"] == "0" and name in masks:
            groups.setdefault(row["group"], name)
    names = sorted(groups.values())
    chosen = [names[i] for i in np.random.default_rng(5).permutation(len(names))[:24]]
    return [(Image.open(io.BytesIO(real_image(n))).convert("RGB"), masks.read(n)) for n in chosen]
