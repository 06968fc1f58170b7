"""The model that ships, quantised with real pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="needs the quantise extra")

from lesionlens.datasets import ImageSource, read_samples
from lesionlens.inference.embedded import find_bundle
from lesionlens.quantise import quantise
from lesionlens.quantise.graph import fold
from lesionlens.quantise.pictures import draw


def test_lite2_holds_its_answers_in_int8(tmp_path: Path, shared_data: Path) -> None:
    source = find_bundle("lite2")
    pictures = draw(read_samples(shared_data), source.manifest, fold=0, calibration=24, limit=40)
    made = quantise(source, tmp_path / "int8", pictures, ImageSource(shared_data), name="lite2-int8", force=True)
    assert made.bundle is not None
    assert {"tail", "stem", "blocks.0.0"} & set(made.record.float_parts) == {"tail", "stem", "blocks.0.0"}
    assert len(made.record.float_parts) < len(fold(source.graph_path).parts) / 2
    assert made.comparison.agreement >= 0.95  # one of 40 may be at a border
    assert made.comparison.map_correlation >= 0.98
    assert made.comparison.probability_change <= 0.04
    assert made.bundle.graph_path.stat().st_size < source.graph_path.stat().st_size
    assert made.bundle.reference == source.reference
