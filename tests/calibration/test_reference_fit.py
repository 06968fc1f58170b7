"""Fitting the statistics that pictures are compared with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lesionlens import Classifier
from lesionlens.calibration.reference import FALSE_ALARMS, fit_reference, spread
from lesionlens.datasets import ImageSource, Sample, read_samples
from lesionlens.errors import DataError
from lesionlens.suitability import Reference
from synthetic import write_data_folder


def made(**counts: int) -> list[Sample]:
    return [Sample(f"{source}{i}", 0, f"{source}{i}", source) for source, n in counts.items() for i in range(n)]


def test_every_source_has_its_share() -> None:
    drawn = spread(made(BCN=500, HAM=400, MSK=30), 200)
    assert Counter(s.source for s in drawn) == {"BCN": 85, "HAM": 85, "MSK": 30}
    assert len({s.image for s in drawn}) == 200
    assert drawn == spread(made(BCN=500, HAM=400, MSK=30), 200)
    assert drawn != spread(made(BCN=500, HAM=400, MSK=30), 200, seed=1)
    assert [s.image for s in spread(made(HAM=5), 10)] == [f"HAM{i}" for i in range(5)]


@pytest.fixture(scope="module")
def drawn_lesions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data_folder(tmp_path_factory.mktemp("drawn"), per_class=6)


def test_equal_input_gives_an_equal_file(drawn_lesions: Path) -> None:
    samples, source = read_samples(drawn_lesions), ImageSource(drawn_lesions)
    training, held_out = [s for s in samples if s.fold], [s for s in samples if s.fold == 0]
    classifier, counted = Classifier(engine="onnxruntime"), []
    first = fit_reference(classifier, training, held_out, source, progress=counted.append)
    second = fit_reference(classifier, training, held_out, source)
    assert first == second
    assert sum(counted) == len(training) + len(held_out)
    assert first.rule.sha256[:12] in first.rule.file
    assert first.rule.false_alarms <= FALSE_ALARMS
    assert str(len(held_out)) in first.rule.measured_on
    reference = Reference.from_bytes(first.data, first.rule)
    assert reference.neighbours.shape[0] == len(training)
    assert (reference.tails[:, 1] > reference.tails[:, 0]).all()
    assert np.isfinite(reference.tails).all()


def test_too_few_pictures_are_told(drawn_lesions: Path) -> None:
    samples, source = read_samples(drawn_lesions), ImageSource(drawn_lesions)
    with pytest.raises(DataError, match="at least 20 training pictures and 5 held-out ones, not 19 and 9"):
        fit_reference(Classifier(engine="onnxruntime"), samples[:19], samples[19:28], source)
