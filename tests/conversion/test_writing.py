"""Bundles of converted weights are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesionlens.conversion.writing import describe, require_room, write
from lesionlens.errors import ConversionError
from lesionlens.inference.bundle import Bundle


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.pth"
    path.write_bytes(b"weights")
    return path


def make(weights: Path, output: Path, graph: bytes) -> Bundle:
    return write(output, graph, describe(weights, output, None, "efficientnet_b5", 456, "squash"), weights)


def test_a_bundle_takes_the_place_of_another(weights: Path, tmp_path: Path) -> None:
    output = tmp_path / "My Bundle"
    output.mkdir()
    require_room(output, overwrite=False)  # an empty folder is in nobody's way
    first = make(weights, output, b"one")
    assert (first.manifest.name, first.manifest.version[:7]) == ("my-bundle", "sha256-")
    assert "`model.pth`, SHA-256 `" in first.model_card
    require_room(output, overwrite=True)
    second = make(weights, output, b"two")
    assert Bundle.load(output) == second
    assert second.graph_path.read_bytes() == b"two"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["My Bundle", "model.pth"]


def test_a_place_that_cannot_be_written_is_named(weights: Path) -> None:
    with pytest.raises(ConversionError, match=r"cannot write .*model\.pth/out: (Not a directory|File exists)"):
        make(weights, weights / "out", b"one")
