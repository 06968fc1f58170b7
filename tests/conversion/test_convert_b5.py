"""EfficientNet-B5 converted and served where PyTorch is not installed."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lesionlens import Bundle, Classifier
from lesionlens.conversion import convert_weights
from lesionlens.conversion.template import key_of, shapes
from lesionlens.conversion.weights_file import open_weights
from lesionlens.inference.find_model import find_model
from synthetic import lesion
from weights_writer import Array, save_safetensors

WITHOUT = ("torch", "torchvision", "timm", "onnx", "onnxscript", "onnx_ir", "safetensors")
COMMAND = f"import sys; sys.modules.update(dict.fromkeys({WITHOUT!r})); from lesionlens.cli import app; app()"


@pytest.fixture(scope="module")
def converted(model_pth: Path) -> Iterator[Bundle]:
    bundle = convert_weights(model_pth, model_pth.parent / "My B5", fit="center_crop")
    yield bundle
    bundle.graph_path.unlink()


def lesionlens(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a process in which nothing of the train extra can be imported."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_the_network_is_whole() -> None:
    """EfficientNet-B5 has 30.4 million weights (Tan & Le 2019, table 2) with a head of 1,000 classes."""
    known = {key: math.prod(shape) for key, shape in shapes().items()}
    statistics = sum(count for key, count in known.items() if "running" in key or "tracked" in key)
    head = 2049 * (1000 - 8)
    assert round((sum(known.values()) - statistics + head) / 1e6, 1) == 30.4
    assert shapes()["classifier.weight"] == (8, 2048)
    assert key_of("norm.weight") == "bn2.weight"
    with pytest.raises(ValueError, match="the graph has a tensor nonsense"):
        key_of("nonsense")


def test_the_bundle_answers_with_these_weights(converted: Bundle, weights: dict[str, Array]) -> None:
    manifest = converted.manifest
    assert (manifest.name, manifest.architecture, manifest.temperature) == ("my-b5", "efficientnet_b5", 1.0)
    spec = manifest.preprocessing
    assert (spec.size, spec.fit, spec.interpolation) == (456, "center_crop", "bilinear")
    assert "has measured nothing" in converted.model_card
    loaded = Bundle.load(converted.path)
    assert loaded == converted
    [analysis] = Classifier(loaded, engine="onnxruntime", threads=1).analyse([lesion(0, 1, (300, 200))])
    assert analysis.features.shape == (2048,)
    assert analysis.maps.shape == (8, 15, 15)
    assert analysis.maps.max() > 0
    head = weights["classifier.weight"].astype(np.float64) @ analysis.features + weights["classifier.bias"]
    np.testing.assert_allclose(analysis.logits, head, rtol=1e-4, atol=1e-5)


def test_all_happens_where_pytorch_is_not(model_pth: Path, converted: Bundle, tmp_path: Path) -> None:
    output = tmp_path / "out"
    done = lesionlens("convert", model_pth, "-o", output, "--fit", "center_crop", "--name", "my-b5")
    assert done.returncode == 0, done.stderr
    assert "efficientnet_b5, 456 × 456 pixels, center_crop" in done.stdout
    bundle = Bundle.load(output)
    assert bundle.manifest == converted.manifest  # with the hash of the graph
    bundle.graph_path.unlink()


def test_weights_given_as_model_need_no_pytorch(model_pth: Path, tmp_path: Path) -> None:
    bundle = find_model(str(model_pth), tmp_path)
    assert (bundle.manifest.name, bundle.manifest.preprocessing.fit) == ("model", "squash")
    assert find_model(str(model_pth), tmp_path) == bundle
    bundle.graph_path.unlink()


def test_safetensors_hold_the_same_weights(weights: dict[str, Array], model_pth: Path, tmp_path: Path) -> None:
    path = save_safetensors(tmp_path / "model.safetensors", weights)
    with open_weights(path) as safe, open_weights(model_pth) as own:
        assert safe.shapes == own.shapes == shapes()
        for key in ("conv_stem.weight", "bn2.running_var", "classifier.bias"):
            np.testing.assert_array_equal(safe.floats(key), own.floats(key))
    path.unlink()
