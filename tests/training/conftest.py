"""Fixtures of the training tests, which need the `train` extra."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthetic import write_data_folder


@pytest.fixture(scope="session")
def drawn_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of 80 drawn lesions."""
    return write_data_folder(tmp_path_factory.mktemp("data"))
