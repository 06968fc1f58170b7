"""Pictures are drawn evenly, repeatably, and never from the fold that is judged on."""

from __future__ import annotations

import pytest

pytest.importorskip("onnx", reason="needs the quantise extra")

from lesionlens.datasets import Sample
from lesionlens.errors import DataError
from lesionlens.inference.embedded import find_bundle
from lesionlens.quantise.pictures import draw

SAMPLES = [
    Sample(f"I{label}{i}", label, f"g{label}{i}", fold=i % 5) for label in range(8) for i in range(5 + 10 * label)
]


def test_calibration_is_even_and_from_other_folds() -> None:
    manifest = find_bundle("lite2").manifest
    drawn = draw(SAMPLES, manifest, fold=0, calibration=24, limit=None)
    assert [sum(s.label == label for s in drawn.calibration) for label in range(8)] == [3] * 8
    assert all(s.fold != 0 for s in drawn.calibration)
    assert drawn.measured == [s for s in SAMPLES if s.fold == 0]
    assert drawn.measured_on == f"{len(drawn.measured)} pictures of fold 0"
    assert draw(SAMPLES, manifest, fold=0, calibration=24, limit=None) == drawn


def test_a_rare_diagnosis_gives_what_it_has() -> None:
    drawn = draw(SAMPLES, find_bundle("lite2").manifest, fold=0, calibration=10_000, limit=7)
    assert len(drawn.calibration) == sum(s.fold != 0 for s in SAMPLES)
    assert len(drawn.measured) == 7
    assert drawn.measured_on == "7 pictures of fold 0, drawn at random"


def test_folds_that_do_not_fit_are_told() -> None:
    manifest = find_bundle("lite2").manifest
    with pytest.raises(DataError, match="was trained on fold 3"):
        draw(SAMPLES, manifest, fold=3, calibration=8, limit=None)
    with pytest.raises(DataError, match="there are the folds 0, 1, 2, 3, 4"):
        draw(SAMPLES, manifest, fold=9, calibration=8, limit=None)
    with pytest.raises(DataError, match="the data has no folds file"):
        draw([Sample("a", 0, "a")], manifest, fold=0, calibration=8, limit=None)
