"""A service that keeps records, in a folder of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tracker_client import TrackerClient, keeping

from lesionlens import Classifier


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of `api`."""
    return tmp_path_factory.mktemp("records")


@pytest.fixture(scope="session")
def api(classifier: Classifier, data_dir: Path) -> Iterator[TrackerClient]:
    """A client of a service that many tests share; each makes people of its own."""
    with keeping(classifier, data_dir) as client:
        yield client
