"""A bundle with all that is fitted after training, fitted on drawn lesions by the code that fits the real ones."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from lesionlens import Bundle, Classifier
from serving import encode
from synthetic import jpeg, lesion, write_data_folder

__all__ = ["LIKE", "UNLIKE", "fitted", "plain"]

LIKE = jpeg(lesion(0, 99))
"""A photo like those that the rules were fitted on."""
UNLIKE = encode(Image.linear_gradient("L").convert("RGB"))
"""A photo of nothing at all."""


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """The embedded network with a prediction-set rule and reference statistics fitted on drawn lesions."""
    return Classifier(_fitted(tmp_path_factory.getbasetemp()), engine="onnxruntime")


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """The embedded network in a bundle without any rule, as bundles were before there were rules."""
    return Classifier(_plain(tmp_path_factory.getbasetemp()), engine="onnxruntime")


@cache  # once for all folders of tests: their conftests make the fixture anew
def _fitted(base: Path) -> Path:
    from lesionlens.calibration.fit import calibrate
    from lesionlens.calibration.pictures import Pictures
    from lesionlens.datasets import ImageSource, read_samples

    data, target = write_data_folder(base / "fitted-data"), base / "fitted"
    held_out = [sample for sample in read_samples(data) if sample.fold in (0, 1)]
    training = [sample for sample in read_samples(data) if sample.fold not in (0, 1)]
    classifier = Classifier(_plain(base), engine="onnxruntime")
    rules = calibrate(classifier, Pictures(training, held_out, "drawn lesions", None), ImageSource(data))
    shutil.copytree(classifier.bundle.path, target)
    Bundle.load(target).with_manifest(rules.apply(classifier.manifest), rules.data)
    return target


@cache
def _plain(base: Path) -> Path:
    embedded = Classifier(engine="onnxruntime").bundle
    manifest = embedded.manifest.model_copy(
        update={"prediction_set": None, "out_of_distribution": None, "calibration": None}
    )
    return Bundle.write(base / "plain", embedded.graph_path.read_bytes(), manifest, embedded.model_card).path
