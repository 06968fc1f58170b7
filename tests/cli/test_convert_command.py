"""`lesionlens convert`, and weights given as `--model`."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from lesionlens import Bundle
from lesionlens.errors import BundleError, ConversionError
from lesionlens.inference.find_model import find_model
from lesionlens.settings import load_settings
from weights_writer import save_pth

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the smallest network of the family."""
    torch = pytest.importorskip("torch", reason="needs the train extra")
    from lesionlens.training.model import create_model

    torch.manual_seed(0)
    path: Path = tmp_path_factory.mktemp("weights") / "My Model.pth"
    torch.save(create_model("efficientnet_b0").state_dict(), path)
    return path


@pytest.mark.train
def test_weights_become_a_bundle_that_classify_takes(run: Run, weights: Path, pictures: Path, tmp_path: Path) -> None:
    output = tmp_path / "mine"
    result = run("convert", weights, "-o", output, "--fit", "center_crop", "--input-size", "64")
    assert result.exit_code == 0, result.stderr
    assert "efficientnet_b0, 64 × 64 pixels, center_crop" in result.stdout
    assert "Nothing was measured" in result.stdout
    again = run("convert", weights, "-o", output)
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    answers = run("classify", pictures, "--model", output, "--format", "json")
    assert json.loads(answers.stdout)["model"]["name"] == "mine"


@pytest.mark.train
def test_weights_given_as_model_are_converted_once(weights: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    bundle = find_model(str(weights), cache)
    assert (bundle.manifest.name, bundle.manifest.preprocessing.fit) == ("my-model", "squash")
    written = bundle.graph_path.stat().st_mtime_ns
    kept = find_model(str(weights), cache)
    assert kept.path == bundle.path
    assert kept.graph_path.stat().st_mtime_ns == written


def test_weights_that_cannot_be_used_say_why(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.pth"
    path.write_bytes(b"PK\x03\x04 cut off")
    result = run("convert", path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "broken.pth is damaged, cut off or no PyTorch file" in result.stderr
    assert "Traceback" not in result.output
    with pytest.raises(ConversionError, match=r"broken\.pth"):
        find_model(str(path), tmp_path / "cache")


def test_a_model_is_a_name_or_a_folder(model: str, tmp_path: Path) -> None:
    by_name = find_model(model)
    shutil.copytree(by_name.path, tmp_path / "copy.pth")  # a folder may be named like weights
    assert find_model(str(tmp_path / "copy.pth")).manifest == by_name.manifest
    with pytest.raises(BundleError, match="no weights file"):
        find_model(str(tmp_path / "gone.pth"))


def test_a_converted_model_needs_no_pytorch(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_pth(tmp_path / "other.pth", {"conv_stem.weight": np.zeros((32, 3, 3, 3), np.float32)})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(sys.modules, "lesionlens.training.convert", None)
    monkeypatch.setenv("LESIONLENS_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(ConversionError, match=r"other\.pth is not efficientnet_b5 .* install PyTorch"):
        find_model(str(path))
    shutil.copytree(find_model(model).path, tmp_path / "cache" / f"other-{digest[:16]}")
    assert isinstance(find_model(str(path)), Bundle)


def test_without_a_home_directory_only_weights_need_a_folder_named(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pwd

    def nobody(_: int) -> None:
        raise KeyError("no such user")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("LESIONLENS_CACHE_DIR", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    path = tmp_path / "model.pth"
    path.write_bytes(b"weights")
    assert isinstance(find_model(model, load_settings().cache_dir), Bundle)
    with pytest.raises(BundleError, match="LESIONLENS_CACHE_DIR"):
        find_model(str(path), load_settings().cache_dir)


def test_convert_without_pytorch_says_what_to_install(run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "lesionlens.training.convert", None)
    path = save_pth(tmp_path / "other.pth", {"conv_stem.weight": np.zeros((32, 3, 3, 3), np.float32)})
    result = run("convert", path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "pip install 'lesionlens[train]'" in result.stderr
