"""A bundle that is whole loads; each way of being broken is told in its own words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lesionlens import Bundle
from lesionlens.errors import BundleError
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import Manifest
from lesionlens.inference.embedded import DEFAULT_MODEL, embedded_models, find_bundle


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the default bundle that may be damaged."""
    folder = tmp_path / "bundle"
    shutil.copytree(find_bundle().path, folder)
    return folder


def change(folder: Path, **values: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_default_bundle_is_embedded_and_trained() -> None:
    bundle = find_bundle()
    assert DEFAULT_MODEL in embedded_models()
    assert bundle.manifest.training is not None
    assert "CC BY-NC" in bundle.manifest.training.licence
    assert "research" in bundle.model_card.lower()
    assert bundle.graph_path.stat().st_size < 40e6


def test_a_bundle_loads_by_name_and_by_folder(copy: Path) -> None:
    assert find_bundle(copy).manifest == find_bundle().manifest == Bundle.load(str(copy)).manifest


def test_writing_and_loading_give_the_same_manifest(tmp_path: Path) -> None:
    manifest = Manifest(
        name="x", version="1", architecture="y", preprocessing=PreprocessSpec(size=64), graph_sha256="0" * 64
    )
    written = Bundle.write(tmp_path / "new", b"graph", manifest, "# card")
    assert Bundle.load(tmp_path / "new").manifest == written.manifest
    assert written.manifest.graph_sha256 != manifest.graph_sha256
    assert written.model_card == "# card"
    (tmp_path / "new" / "MODEL_CARD.md").unlink()
    assert written.model_card == ""


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        Bundle.load(copy)


def test_an_exchanged_graph_is_refused(copy: Path) -> None:
    graph = bytearray((copy / "model.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (copy / "model.onnx").write_bytes(graph)
    with pytest.raises(BundleError, match="damaged or was exchanged"):
        Bundle.load(copy)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"schema_version": 2}, "reads version 1"),
        ({"classes": ["NV", "MEL", "BCC", "AKIEC", "BKL", "DF", "VASC", "SCC"]}, "in this order"),
        ({"temperature": 0}, "temperature: Input should be greater than 0"),
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"preprocessing": {"size": 64, "fit": "stretch"}}, "center_crop"),
        ({"name": "../evil"}, "name:"),
    ],
)
def test_a_wrong_manifest_is_told_by_field(copy: Path, values: dict[str, Any], message: str) -> None:
    change(copy, **values)
    with pytest.raises(BundleError, match=message):
        Bundle.load(copy)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', b"\xff\xfe"])
def test_a_manifest_that_is_no_json_object_is_told(copy: Path, text: str | bytes) -> None:
    (copy / "manifest.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BundleError, match=r"manifest\.json"):
        Bundle.load(copy)


def test_an_unknown_model_is_told_with_what_there_is() -> None:
    with pytest.raises(BundleError, match=f"embedded model .*{DEFAULT_MODEL}"):
        find_bundle("no-such-model")
