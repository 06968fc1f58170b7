"""A manifest is replaced whole or not at all, and those of earlier versions still load."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lesionlens import Bundle
from lesionlens.errors import BundleError
from lesionlens.inference.embedded import find_bundle
from lesionlens.inference.records import PredictionSetRule

SINCE = ("logit_shift", "calibration")
"""Fields that the first release did not know."""


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A copy of the default bundle that may be changed."""
    shutil.copytree(find_bundle().path, tmp_path / "bundle")
    return Bundle.load(tmp_path / "bundle")


def test_a_new_manifest_takes_the_place_of_the_old_one(bundle: Bundle) -> None:
    files = {p.name for p in bundle.path.iterdir()}
    shift = (0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.5)
    rule = PredictionSetRule(coverage=0.9, threshold=0.8, class_thresholds=(0.9,) * 8, pictures=100, lesions=50)
    changed = bundle.manifest.model_copy(update={"logit_shift": shift, "prediction_set": rule})
    assert bundle.with_manifest(changed).manifest == Bundle.load(bundle.path).manifest == changed
    assert {p.name for p in bundle.path.iterdir()} == files


def test_a_manifest_that_cannot_be_written_leaves_the_old_one(bundle: Bundle) -> None:
    before = (bundle.path / "manifest.json").read_bytes()
    lone_surrogate = bundle.manifest.model_copy(update={"version": "\ud800"})  # no UTF-8 for it
    with pytest.raises((UnicodeEncodeError, ValueError)):
        bundle.with_manifest(lone_surrogate)
    assert (bundle.path / "manifest.json").read_bytes() == before
    assert not list(bundle.path.glob("*.tmp"))


def test_the_manifest_of_another_graph_is_refused(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="the manifest of another graph"):
        bundle.with_manifest(bundle.manifest.model_copy(update={"graph_sha256": "0" * 64}))
    assert Bundle.load(bundle.path).manifest == bundle.manifest


def test_a_bundle_of_the_first_release_loads(bundle: Bundle) -> None:
    path = bundle.path / "manifest.json"
    old = {k: v for k, v in json.loads(path.read_text()).items() if k not in SINCE}
    old["prediction_set"] = {"coverage": 0.9, "threshold": 0.8}
    old["out_of_distribution"] = None
    path.write_text(json.dumps(old))
    manifest = Bundle.load(bundle.path).manifest
    assert manifest.logit_shift is None
    assert manifest.calibration is None
    assert manifest.prediction_set == PredictionSetRule(coverage=0.9, threshold=0.8)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("logit_shift", [0.0] * 7, "logit_shift: Tuple should have at least 8 items"),
        ("prediction_set", {"coverage": 0.9, "threshold": 0.8, "method": "guess"}, "prediction_set.method"),
        ("prediction_set", {"coverage": 90, "threshold": 0.8}, "prediction_set.coverage"),
    ],
)
def test_a_wrong_rule_is_told_by_field(bundle: Bundle, field: str, value: object, message: str) -> None:
    path = bundle.path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(BundleError, match=message):
        Bundle.load(bundle.path)
