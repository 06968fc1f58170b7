"""`lesionlens evaluate --suitability` from end to end, on drawn lesions."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fitted import fitted, plain  # noqa: F401  (fixtures)
from lesionlens import Classifier
from lesionlens.cli import app
from lesionlens.datasets import ImageSource, read_samples
from lesionlens.errors import DataError
from lesionlens.evaluation import Metrics
from lesionlens.evaluation.card import render_model_card
from lesionlens.evaluation.suitability.measure import examine
from lesionlens.evaluation.suitability.wording import reached, verdict
from synthetic import write_data_folder


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, args)], env={"COLUMNS": "160"})


@pytest.fixture(scope="module")
def lesions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data_folder(tmp_path_factory.mktemp("drawn"), per_class=5)


@pytest.fixture(scope="module")
def output(
    fitted: Classifier,  # noqa: F811
    lesions: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("suitability")
    options = ("--suitability", "--suitability-limit", 7, *_SMALL)
    result = run("--model", fitted.bundle.path, "--data", lesions, "--output", folder, *options)
    assert result.exit_code == 0, result.output
    assert "Pictures that it should not judge" in result.output
    assert "Photos of animals" in result.output
    return folder


_SMALL = ("--bootstrap", 20)


def test_every_family_is_in_the_figures(output: Path) -> None:
    report = Metrics.load(output / "metrics.json").suitability
    assert report is not None
    found = {f.key: f for f in report.families}
    assert {"photos", "graphics", "texture", "document", "noise", "gradient", "flat"} <= found.keys()
    assert {"blur_5", "cast_tungsten", "cast_green"} <= found.keys()
    assert "no_lesion" not in found  # the drawn lesions have no masks
    for family in found.values():
        assert family.auroc.value is not None
        assert set(family.by_part) == {"detail", "colour", "lesion", "appearance", "features"}
        detected = family.detected.value
        assert detected is not None
        assert sum(family.reasons.values()) == round(detected * family.n)
    noise = found["noise"].auroc.value
    assert noise is not None
    assert noise > 0.9
    assert found["noise"].n == 3
    assert found["blur_5"].target == 0.9
    assert found["blur_3"].target is None
    everything = report.alarms[0]
    assert (everything.key, everything.n, everything.groups) == ("all", 16, 8)
    assert {a.key for a in report.alarms} >= {"source:DRAWN", "diagnosis:MEL"}


def test_report_and_card_show_them(output: Path, fitted: Classifier) -> None:  # noqa: F811
    page = (output / "report.html").read_text(encoding="utf-8")
    assert "Does it know what it should not judge?" in page
    assert "Colour cast: light bulb" in page
    metrics = Metrics.load(output / "metrics.json")
    card = render_model_card(fitted.manifest, metrics)
    assert "### Pictures that it should not judge" in card
    assert "| Noise | 3 |" in card
    assert metrics.suitability is not None
    assert verdict(metrics.suitability) in card


def test_scoring_again_keeps_them(output: Path, tmp_path: Path) -> None:
    again = run("--predictions", output / "predictions.csv", "--output", tmp_path, *_SMALL)
    assert again.exit_code == 0, again.output
    first, second = (Metrics.load(folder / "metrics.json").suitability for folder in (output, tmp_path))
    assert first == second


def test_a_missed_target_is_named(output: Path) -> None:
    report = Metrics.load(output / "metrics.json").suitability
    assert report is not None
    noise = next(f for f in report.families if f.key == "noise")
    good, poor = (
        noise.model_copy(update={"auroc": noise.auroc.model_copy(update={"value": value})}) for value in (0.98, 0.979)
    )
    assert (reached(good), reached(poor)) == (True, False)
    assert reached(poor.model_copy(update={"target": None})) is None
    assert "Noise" in verdict(report.model_copy(update={"families": (poor,)}))
    assert verdict(report.model_copy(update={"families": (good,), "asked_false_alarms": 1.0})).startswith("Every")
    assert "false alarms" in verdict(report.model_copy(update={"families": (good,), "asked_false_alarms": -0.1}))


def test_a_bundle_without_statistics_is_told_how_to_get_them(plain: Classifier, lesions: Path) -> None:  # noqa: F811
    with pytest.raises(DataError, match="lesionlens calibrate"):
        examine(plain, read_samples(lesions)[:2], ImageSource(lesions), None)


def test_it_needs_the_pictures(tmp_path: Path) -> None:
    result = run("--predictions", tmp_path / "predictions.csv", "--suitability")
    assert result.exit_code != 0
    assert "--suitability needs --data" in result.output
