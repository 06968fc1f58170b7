"""Doubt is measured with intervals, kept in `metrics.json`, and shown in report and card."""

from __future__ import annotations

import io
import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from made_predictions import made, one_hot
from rich.console import Console
from typer.testing import CliRunner

from lesionlens.cli import app
from lesionlens.evaluation import Metrics, Predictions, evaluate, render_model_card
from lesionlens.evaluation.report import render_report
from lesionlens.evaluation.schema import ModelInfo
from lesionlens.evaluation.terminal import show
from lesionlens.evaluation.uncertainty import UncertaintySlice
from lesionlens.evaluation.uncertainty.sets import set_values, sizes
from lesionlens.evaluation.wording import caution, number, spread
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import Bundle, Manifest
from lesionlens.inference.embedded import find_bundle
from lesionlens.inference.records import CalibrationRecord, PredictionSetRule, Reliability
from lesionlens.taxonomy import CODES
from lesionlens.uncertainty import prediction_sets

RULE = PredictionSetRule(coverage=0.9, threshold=0.85, pictures=100, lesions=60)
MODEL = ModelInfo(
    name="tiny",
    version="1.0",
    architecture="b0",
    sha256="ab" * 32,
    engine="e",
    confidence_threshold=0.5,
    prediction_set=RULE,
)


@pytest.fixture(scope="module")
def metrics(mixed: Predictions) -> Metrics:
    return evaluate(mixed, model=MODEL, description="Made up.", fold=0, resamples=100)


def part(metrics: Metrics, index: int = 0) -> UncertaintySlice:
    assert metrics.uncertainty is not None
    return metrics.uncertainty.slices[index]


def test_sets_worked_out_by_hand() -> None:
    inside = np.zeros((4, 8), dtype=bool)
    inside[0, [0, 1]] = inside[1, 1] = inside[2, 2] = inside[3, :] = True
    labels, groups = np.array([0, 0, 2, 7]), np.array(["a", "a", "b", "c"])
    values = {name: float(v[0]) for name, v in set_values(np.ones((1, 4)), inside, labels, groups).items()}
    assert values["coverage"] == 3 / 4
    assert values["lesion_coverage"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert values["coverage:MEL"] == 1 / 2
    assert values["coverage:SCC"] == 1.0
    assert np.isnan(values["coverage:NV"])
    assert values["size"] == (2 + 1 + 1 + 8) / 4
    assert values["singletons"] == 1 / 2
    assert sizes(inside) == (2, 1, 0, 0, 0, 0, 0, 1)


def test_the_figures_are_those_of_the_sets_that_are_served(metrics: Metrics, mixed: Predictions) -> None:
    sets = part(metrics).sets
    assert sets is not None
    served = prediction_sets(mixed.probabilities, RULE)
    held = np.array([k in s for k, s in zip(mixed.label.tolist(), served, strict=True)])
    assert sets.coverage.value == pytest.approx(held.mean())
    assert sets.size.value == pytest.approx(np.mean([len(s) for s in served]))
    assert sets.sizes == tuple(sum(len(s) == n for s in served) for n in range(1, 9))
    assert [c.code for c in sets.classes] == list(CODES)
    assert sum(c.support for c in sets.classes) == len(mixed)
    for k, c in enumerate(sets.classes):
        assert c.coverage.value == pytest.approx(held[mixed.label == k].mean())


def test_every_figure_lies_within_its_interval(metrics: Metrics) -> None:
    everything = part(metrics)
    assert everything.sets is not None
    estimates = [e for s in everything.scores for e in (s.augrc, s.aurc)]
    estimates += [e for r in everything.rules for e in (r.coverage, r.selective_risk, r.generalised_risk)]
    estimates += [everything.sets.coverage, everything.sets.lesion_coverage, everything.sets.size]
    for e in estimates:
        assert e.value is not None
        assert e.low is not None
        assert e.high is not None
        assert e.low < e.value < e.high


def test_scores_are_compared_with_the_best_and_the_worst(metrics: Metrics) -> None:
    everything = part(metrics)
    areas = {s.score: s.augrc.value for s in everything.scores}
    assert set(areas) == {"max_probability", "margin", "entropy", "set_size", "answered"}
    for area in areas.values():
        assert area is not None
        assert everything.augrc_best < area < everything.augrc_random
    assert areas["max_probability"] < areas["answered"], "two levels order less than all of them"  # type: ignore[operator]


def test_the_plain_rule_agrees_with_the_headline_figures(metrics: Metrics) -> None:
    for index, result in enumerate(metrics.slices[:3]):
        doubt = part(metrics, index)
        assert doubt.key == result.key
        confident = next(r for r in doubt.rules if r.rule == "confident")
        assert confident.coverage == result.answered
        assert result.answered_accuracy.value is not None
        assert confident.selective_risk.value == pytest.approx(1 - result.answered_accuracy.value)


def test_without_a_rule_there_are_no_sets(mixed: Predictions) -> None:
    metrics = evaluate(mixed, resamples=0)
    everything = part(metrics)
    assert everything.sets is None
    assert {s.score for s in everything.scores} == {"max_probability", "margin", "entropy", "answered"}
    assert [r.rule for r in everything.rules] == ["confident"]
    html = render_report(metrics, mixed)
    assert "Does it know when it does not know?" in html
    assert "Prediction sets" not in html


def test_resolution_is_told_apart_only_where_there_is_something_to_tell(mixed: Predictions, metrics: Metrics) -> None:
    assert metrics.uncertainty is not None
    assert [s.key for s in metrics.uncertainty.slices] == ["all", "short_side_ge_180", "short_side_lt_180"]
    sharp = evaluate(mixed.subset(mixed.short_side >= 180), resamples=0).uncertainty
    assert sharp is not None
    assert [s.key for s in sharp.slices] == ["all"]


def test_a_file_of_an_earlier_version_is_still_read(metrics: Metrics, mixed: Predictions, tmp_path: Path) -> None:
    old = json.loads(metrics.model_dump_json())
    del old["uncertainty"], old["model"]["prediction_set"], old["model"]["calibration_fold"]
    (tmp_path / "metrics.json").write_text(json.dumps(old))
    loaded = Metrics.load(tmp_path / "metrics.json")
    assert loaded.uncertainty is None
    assert "Does it know" not in render_report(loaded, mixed)
    assert "### Doubt" not in render_model_card(manifest(), loaded)


def test_the_report_shows_doubt(metrics: Metrics, mixed: Predictions) -> None:
    html = render_report(metrics, mixed)
    text = " ".join(html.split())
    everything = part(metrics)
    assert everything.sets is not None
    for words in (
        "Wrong answers by share answered",
        "share of all pictures answered wrongly",
        f"{everything.scores[0].augrc.value:.4f}",
        number(everything.rules[0].generalised_risk.value),
        number(everything.sets.coverage.value),
        number(everything.sets.classes[5].coverage.value),
        f"the model's own threshold: {number(everything.rules[0].coverage.value)} answered",
    ):
        assert words in text, words


def test_the_terminal_shows_doubt_within_eighty_columns(metrics: Metrics) -> None:
    console = Console(width=80, file=io.StringIO(), record=True)
    show(metrics, console)
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    everything = part(metrics)
    assert everything.sets is not None
    assert f"{everything.scores[0].augrc.value:.4f}" in text
    assert number(everything.sets.coverage.value) in text
    least = min(everything.sets.classes, key=lambda c: c.coverage.value or 0.0)
    assert number(least.coverage.value) in text
    assert least.code in text


def test_a_report_without_a_wrong_answer_is_still_a_report() -> None:
    predictions = made(list(range(8)), one_hot(list(range(8))))
    metrics = evaluate(predictions, model=MODEL, resamples=10)
    assert part(metrics).augrc_random == 0.0
    assert "Does it know" in render_report(metrics, predictions)
    assert "### Doubt" in render_model_card(manifest(), metrics)


def manifest(**fields: object) -> Manifest:
    return Manifest(
        name="tiny",
        version="1.0",
        architecture="b0",
        preprocessing=PreprocessSpec(size=224),
        graph_sha256="ab" * 32,
        prediction_set=RULE,
    ).model_copy(update=fields)


def record(method: str) -> CalibrationRecord:
    return CalibrationRecord(
        method=method,  # type: ignore[arg-type]
        pictures=100,
        lesions=60,
        measured_on="100 pictures of fold 4",
        fold=4,
        uncalibrated=Reliability(nll=1.1, ece=0.12),
        temperature=Reliability(nll=0.9, ece=0.034),
        bias_corrected_temperature=Reliability(nll=0.88, ece=0.029),
        gain=0.02,
        gain_error=0.01,
    )


def test_the_card_shows_doubt_and_its_tables_are_tables(metrics: Metrics) -> None:
    card = render_model_card(manifest(calibration=record("bias_corrected_temperature")), metrics)
    everything = part(metrics)
    assert everything.sets is not None
    for words in (
        "fitted on 100 pictures of fold 4 (60 lesions)",
        "one temperature has a calibration error of 0.034",
        "0.029",
        "### Doubt",
        "### Prediction sets",
        spread(everything.sets.coverage),
        spread(everything.rules[0].selective_risk),
    ):
        assert words in card, words
    assert "is used" in card
    assert "is not used" in render_model_card(manifest(calibration=record("temperature")), metrics)
    lines = card.splitlines()
    for before, line in pairwise(lines):
        if before.startswith("|") and line.startswith("|"):
            assert before.replace(r"\|", "").count("|") == line.replace(r"\|", "").count("|"), line
    assert "\n\n\n" not in card
    assert "(logits + a shift for each diagnosis)" in render_model_card(manifest(logit_shift=(0.1,) * 8), metrics)


def test_figures_of_the_fold_that_was_calibrated_on_are_called_flattered(mixed: Predictions) -> None:
    model = MODEL.model_copy(update={"calibration_fold": 4})
    assert "calibrated on fold 4" in caution(evaluate(mixed, model=model, fold=4, resamples=0))
    assert caution(evaluate(mixed, model=model, fold=0, resamples=0)) == ""


def test_predictions_that_were_kept_are_measured_again_with_their_sets(
    data_folder: Path, embedded_model: str, tmp_path: Path
) -> None:
    bundle = find_bundle(embedded_model)
    shutil.copytree(bundle.path, tmp_path / "bundle")
    changed = bundle.manifest.model_copy(update={"prediction_set": RULE, "calibration": record("temperature")})
    Bundle.load(tmp_path / "bundle").with_manifest(changed)

    def run(*arguments: object) -> None:
        result = CliRunner().invoke(app, ["evaluate", *map(str, arguments), "--bootstrap", "20"])
        assert result.exit_code == 0, result.output

    first, again = tmp_path / "first", tmp_path / "again"
    run("--model", tmp_path / "bundle", "--data", data_folder, "--output", first)
    metrics = Metrics.load(first / "metrics.json")
    assert metrics.model is not None
    assert (metrics.model.prediction_set, metrics.model.calibration_fold) == (RULE, 4)
    assert part(metrics).sets is not None
    run("--predictions", first / "predictions.csv", "--output", again)
    assert (first / "metrics.json").read_bytes() == (again / "metrics.json").read_bytes()
