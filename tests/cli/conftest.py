"""The commands as a person runs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from fitted import fitted
from lesionlens.cli import app
from lesionlens.inference.embedded import DEFAULT_MODEL

__all__ = ["fitted"]

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `lesionlens` with arguments, in a terminal wide enough not to break names."""
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments: str | Path, answer: str | None = None) -> Result:
        return CliRunner().invoke(app, [str(a) for a in arguments], input=answer)

    return invoke


@pytest.fixture(scope="session")
def model() -> str:
    """Name of the embedded model that tests use."""
    return DEFAULT_MODEL


@pytest.fixture
def pictures(tmp_path: Path, real_sample: dict[str, bytes]) -> Path:
    """A folder of three real pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for image, data in list(real_sample.items())[:3]:
        (folder / f"{image}.jpg").write_bytes(data)
    return folder
