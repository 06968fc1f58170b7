"""What is fitted after training: chosen for a reason, recorded, and put into a manifest."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import SHARES, held

from lesionlens.calibration.crossfit import Held
from lesionlens.calibration.fit import fit
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import Manifest

BIAS = (0.9, -0.9, 0.5, 0.0, -0.5, 0.0, 0.0, 0.0)


def manifest(**fields: object) -> Manifest:
    spec = PreprocessSpec(size=64)
    return Manifest(name="tiny", version="1", architecture="a", preprocessing=spec, graph_sha256="a" * 64).model_copy(
        update=fields
    )


def test_a_shift_is_used_where_the_network_leans_to_some_diagnoses() -> None:
    found = fit(held(800, temperature=1.4, bias=BIAS), "simulated pictures")
    record = found.record
    assert record.method == "bias_corrected_temperature"
    assert found.scaling.shift is not None
    assert record.gain is not None
    assert record.gain_error is not None
    assert record.gain > record.gain_error
    assert record.temperature is not None
    assert record.bias_corrected_temperature is not None
    assert record.bias_corrected_temperature.nll < record.temperature.nll < record.uncalibrated.nll
    assert record.gain == pytest.approx(record.temperature.nll - record.bias_corrected_temperature.nll)


def test_a_shift_that_would_overlook_rare_diagnoses_is_not_used() -> None:
    towards_common = 0.5 * np.log(SHARES)  # what a network lacks that saw rare diagnoses more often than they are
    found = fit(held(1500, bias=tuple(towards_common - towards_common.mean()), sharpness=1.5), "simulated pictures")
    record = found.record
    assert record.gain is not None
    assert record.gain_error is not None
    assert record.gain > record.gain_error, "the likelihood alone would choose the shift"
    assert record.temperature is not None
    assert record.bias_corrected_temperature is not None
    assert record.bias_corrected_temperature.balanced_accuracy < record.temperature.balanced_accuracy
    assert record.method == "temperature"
    assert found.scaling.shift is None


def test_the_simple_way_stays_where_the_other_gains_nothing() -> None:
    found = fit(held(800, temperature=1.4), "simulated pictures")
    assert found.record.method == "temperature"
    assert found.scaling.shift is None
    assert found.scaling.temperature == pytest.approx(1.4, rel=0.1)


def test_equal_pictures_give_an_equal_fit() -> None:
    pictures = held(300, most_pictures=3)
    assert fit(pictures, "simulated") == fit(pictures, "simulated")


def test_everything_goes_into_the_manifest() -> None:
    pictures = held(400, bias=BIAS, most_pictures=2)
    found = fit(pictures, "pictures of fold 4", fold=4)
    result = Manifest.model_validate_json(found.apply(manifest()).model_dump_json())
    assert result.temperature == found.scaling.temperature
    assert result.logit_shift == found.scaling.shift
    assert result.prediction_set == found.rule
    assert [p.name for p in result.operating_points] == ["sensitivity_90", "sensitivity_95"]
    assert {p.measured_on for p in result.operating_points} == {"pictures of fold 4"}
    record = result.calibration
    assert record is not None
    assert (record.fold, record.pictures, record.lesions) == (4, len(pictures), 400)
    assert record.set_coverage == pytest.approx(0.9, abs=0.05)


def test_measured_results_stay_only_with_the_probabilities_they_were_measured_of() -> None:
    found = fit(held(100), "simulated")
    measured = manifest(results={"data": "fold 0"})
    once = found.apply(measured)
    assert once.results == {}
    again = found.apply(once.model_copy(update={"results": {"data": "fold 0"}}))
    assert again.results == {"data": "fold 0"}


def test_a_single_lesion_gets_a_temperature_and_no_promise() -> None:
    logits = np.tile(np.eye(8, dtype=np.float32)[:1], (3, 1))
    found = fit(Held(logits, np.zeros(3, dtype=np.int64), np.array(["a"] * 3)), "three pictures of one lesion")
    assert found.record.temperature is None
    assert found.record.gain is None
    assert found.rule is None
    assert found.sets is None
    assert found.points == ()
    assert found.apply(manifest()).prediction_set is None


def test_few_lesions_get_sets_whose_cost_is_not_foretold() -> None:
    found = fit(held(10), "ten lesions")
    assert found.rule is not None
    assert found.sets is None  # without a fifth of them too few are left to fit on
    assert found.record.set_coverage is None
