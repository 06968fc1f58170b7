"""A folder of real pictures and the embedded model."""

from __future__ import annotations

from pathlib import Path

import pytest

from fitted import fitted
from serving import classifier

__all__ = ["classifier", "fitted", "pictures"]


@pytest.fixture
def pictures(tmp_path: Path, real_sample: dict[str, bytes]) -> Path:
    """A folder of eight real pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for image, data in real_sample.items():
        (folder / f"{image}.jpg").write_bytes(data)
    return folder
