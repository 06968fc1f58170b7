"""Weights that are not converted without PyTorch, and what is said of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from lesionlens.conversion import convert_weights
from lesionlens.conversion.archive import LEGACY_MAGIC
from lesionlens.conversion.template import weights_to_graph
from lesionlens.errors import ConversionError
from weights_writer import Array, save_pth

INSTALL = r"To convert it, install PyTorch: pip install 'lesionlens\[train\]'"


@pytest.fixture
def _no_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lesionlens.training.convert", None)


@pytest.mark.usefixtures("_no_pytorch")
def test_other_networks_say_what_they_need(model_pth: Path, tmp_path: Path) -> None:
    other = save_pth(tmp_path / "other.pth", {"conv_stem.weight": np.zeros((32, 3, 3, 3), np.float32)})
    output = tmp_path / "out"
    why = r"other\.pth is not efficientnet_b5 \(conv_stem\.weight is 32×3×3×3 instead of 48×3×3×3; .* is missing\)"
    with pytest.raises(ConversionError, match=rf"{why}, the one that needs no PyTorch\. {INSTALL}"):
        convert_weights(other, output)
    with pytest.raises(
        ConversionError, match=rf"is said to be tf_efficientnet_b5, and only efficientnet_b5 .*{INSTALL}"
    ):
        convert_weights(model_pth, output, architecture="tf_efficientnet_b5")
    with pytest.raises(ConversionError, match=rf"without PyTorch at 456 pixels only, not at 300\. {INSTALL}"):
        convert_weights(model_pth, output, input_size=300)
    with pytest.raises(
        ConversionError, match=r"these weights are not efficientnet_b5: \d+ of 854 tensors do not match"
    ):
        convert_weights(other, output, architecture="efficientnet_b5")
    old = tmp_path / "old.pth"
    old.write_bytes(LEGACY_MAGIC + bytes(100))
    with pytest.raises(ConversionError, match=rf"old\.pth is in the format of PyTorch before 1\.6\. {INSTALL}"):
        convert_weights(old, output)
    assert not output.exists()


def test_another_number_of_classes_is_told(weights: dict[str, Array], tmp_path: Path) -> None:
    seven = {key: array[:7] if key.startswith("classifier") else array for key, array in weights.items()}
    path = save_pth(tmp_path / "model.pth", seven)
    with pytest.raises(ConversionError, match="the weights tell 7 classes apart; accepted are 8: MEL, NV"):
        convert_weights(path, tmp_path / "out")
    path.unlink()


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_pth(tmp_path / "model.pth", {"a": np.zeros(2, np.float32)})

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # a test may run as root, whom no permission stops
    with pytest.raises(ConversionError, match=r"cannot read model\.pth: Permission denied"):
        convert_weights(path, tmp_path / "out")


def test_a_network_that_gives_no_numbers_is_refused(weights: dict[str, Array]) -> None:
    broken = {**weights, "bn2.running_var": np.full(2048, -1.0, np.float32)}
    with pytest.raises(ConversionError, match="the network's logits are not finite; its training failed"):
        weights_to_graph(lambda key: broken[key].astype(np.float32))


def test_only_a_bundle_is_ever_overwritten(model_pth: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "photo.jpg").touch()
    with pytest.raises(ConversionError, match="photos exists already and is not a bundle"):
        convert_weights(model_pth, tmp_path / "photos", overwrite=True)
    with pytest.raises(ConversionError, match="photos exists already; name another folder or allow overwriting"):
        convert_weights(model_pth, tmp_path / "photos")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos"]
    with pytest.raises(ConversionError, match="name 'My Model' is not accepted"):
        convert_weights(model_pth, tmp_path / "out", name="My Model")
