"""The model card and the figures in a manifest, from measured figures alone."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from made_predictions import made, one_hot

from lesionlens import DISCLAIMER
from lesionlens.evaluation import Metrics, Predictions, evaluate, render_model_card, results_for_manifest
from lesionlens.evaluation.schema import ModelInfo
from lesionlens.evaluation.wording import number, spread
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import Manifest, PredictionSetRule, TrainingRecord

SHA256 = "cd" * 32
RECORD = TrainingRecord(
    data="ISIC 2019 training set, folds 1–4.",
    licence="CC BY-NC 4.0",
    recipe={"epochs": 12, "ema": True, "note": "a|b", "mixup": {"alpha": 0.2}},
    starting_weights="ImageNet-1k",
)


def manifest(sha256: str = SHA256, training: TrainingRecord | None = RECORD) -> Manifest:
    return Manifest(
        name="tiny",
        version="1.0",
        architecture="efficientnet_b0",
        preprocessing=PreprocessSpec(size=224, fit="squash"),
        temperature=1.25,
        prediction_set=PredictionSetRule(coverage=0.9, threshold=0.8),
        training=training,
        graph_sha256=sha256,
    )


@pytest.fixture(scope="module")
def metrics(mixed: Predictions) -> Metrics:
    model = ModelInfo(
        name="tiny", version="1.0", architecture="b0", sha256=SHA256, engine="e", confidence_threshold=0.5
    )
    return evaluate(mixed, model=model, description="Fold 0 of ISIC 2019.", fold=0, resamples=20)


def test_the_card_tells_what_must_be_known(metrics: Metrics) -> None:
    card = render_model_card(manifest(), metrics)
    assert DISCLAIMER in card
    for words in (
        "# tiny 1.0",
        "**Not intended** for diagnosis",
        "the whole picture, its aspect given up",
        "CC BY-NC 4.0",
        "Scientific Data 5, 180161 (2018)",
        "arXiv:1908.02288",
        "ISBI 2018",
        "| epochs | 12 |",
        "| ema | true |",
        r"| note | a\|b |",
        '| mixup | {"alpha": 0.2} |',
        "Started from: ImageNet-1k.",
        "Dermoscopy only",
        "200 of the 400 pictures are under 180 px",
        "How well the model does on dark skin",
        "Fold 0 of ISIC 2019. 400 pictures of 200 lesions.",
        "ISIC 2019 training set, folds 1–4.\n",
        "softmax of logits / 1.25; below 0.5",
        "hold the true diagnosis 90.0 % of the time",
    ):
        assert words in card, words
    for part in metrics.slices[:3]:
        assert part.title in card
        assert spread(part.balanced_accuracy) in card
    for c in metrics.slices[0].classes:
        assert f"| {c.support} | {spread(c.sensitivity)} |" in card
    assert spread(metrics.slices[0].ece, "decimal") in card


def test_its_tables_are_tables(metrics: Metrics) -> None:
    lines = render_model_card(manifest(), metrics).splitlines()
    for before, line in pairwise(lines):
        if before.startswith("|") and line.startswith("|"):
            assert before.replace(r"\|", "").count("|") == line.replace(r"\|", "").count("|"), line
    assert "\n\n\n" not in "\n".join(lines)


def test_its_sections_are_those_of_the_paper(metrics: Metrics) -> None:
    sections = re.findall(r"^## (.+)$", render_model_card(manifest(), metrics), re.MULTILINE)
    assert sections == [
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
        "Licence and citation",
    ]


def test_the_file_of_figures_is_all_it_takes(metrics: Metrics, tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(metrics.model_dump_json(), encoding="utf-8")
    assert render_model_card(manifest(), Metrics.load(path)) == render_model_card(manifest(), metrics)


def test_no_measured_figure_is_written_by_hand(mixed: Predictions, metrics: Metrics) -> None:
    """Every number of a figure with its interval on the card is one of this evaluation's."""
    values = _values(metrics.model_dump())
    known = {f"{v:.3f}" for v in values} | {f"{v:.4f}" for v in values} | {f"{100 * v:.1f} %" for v in values}
    card = render_model_card(manifest(), metrics)
    figures = re.findall(r"(\d+\.\d+(?: %)?) \((?:\d+\.\d+)–", card)
    assert len(figures) > 60
    assert set(figures) <= known


def _values(part: object) -> list[float]:
    """Find the value of every estimate in a tree of plain values."""
    if isinstance(part, dict):
        own = [part["value"]] if isinstance(part.get("value"), float) else []
        return own + [value for child in part.values() for value in _values(child)]
    return [value for child in part for value in _values(child)] if isinstance(part, list | tuple) else []


def test_what_was_measured_is_counted_by_diagnosis_and_source(metrics: Metrics) -> None:
    card = render_model_card(manifest(), metrics)
    assert "| | All pictures | 180 px and more | Under 180 px | BCN | HAM |" in card
    malignant = sum(c.support for c in metrics.slices[0].classes if c.code in ("MEL", "BCC", "AKIEC", "SCC")) / 400
    assert f"Of the pictures measured, {number(malignant)} are malignant" in card


def test_every_training_that_led_here_is_told(metrics: Metrics) -> None:
    first = TrainingRecord(data="Drawn lesions", licence="none", recipe={"epochs": 99}, starting_weights="random")
    second = first.model_copy(update={"data": "Painted lesions", "earlier": first, "recipe": {}})
    card = render_model_card(manifest(training=RECORD.model_copy(update={"earlier": second})), metrics)
    assert card.index("folds 1–4") < card.index("Before that: Painted lesions.") < card.index("that: Drawn lesions.")
    assert "| epochs | 99 |" in card


def test_figures_of_other_weights_are_called_that(metrics: Metrics) -> None:
    assert "not of these very weights" not in render_model_card(manifest(), metrics)
    other = render_model_card(manifest(sha256="ef" * 32), metrics)
    assert "**The figures are not of these very weights.**" in other
    assert SHA256 in other
    assert "not of these very weights" in render_model_card(
        manifest(), evaluate(made([0, 1], one_hot([0, 1])), resamples=0)
    )


def test_whether_the_pictures_were_trained_on_is_told_as_it_is_known(mixed: Predictions, metrics: Metrics) -> None:
    def card(sha256: str, fold: int | None, **known: object) -> str:
        assert metrics.model is not None
        model = metrics.model.model_copy(update=known)
        text = render_model_card(manifest(sha256), evaluate(mixed, model=model, fold=fold, resamples=0))
        return " ".join(text.partition("## Evaluation data")[2].partition("| |")[0].split())

    other, folds = "ef" * 32, (1, 2, 3, 4)
    assert f"tiny 1.0 (b0, SHA-256 `{SHA256}`), trained on folds 1, 2, 3, 4, without the pictures of fold 0." in card(
        other, 0, train_folds=folds
    )
    assert "The model was trained on folds 1, 2, 3, 4, without the pictures of fold 0." in card(
        SHA256, 0, train_folds=folds
    )
    for sha256 in (SHA256, other):
        assert "**Beware:** This model was trained on folds 1, 2, 3, 4." in card(sha256, 2, train_folds=folds)
        assert "**Beware:** This model was trained on folds 1, 2, 3, 4." in card(sha256, None, train_folds=folds)
        assert "**Beware:** The epoch was chosen" in card(sha256, 4, train_folds=(1, 2, 3), validation_fold=4)
        assert "without the pictures" not in card(sha256, 4, train_folds=(1, 2, 3), validation_fold=4)
    assert "Whether that model was trained on these pictures is not recorded." in card(other, 0)


def test_weights_of_unknown_origin_are_called_that(metrics: Metrics) -> None:
    card = render_model_card(manifest(training=None), metrics)
    assert "Where these weights come from is not recorded." in card
    assert "The licence of these weights is not recorded" in card


def test_citations_of_the_manifest_take_precedence(metrics: Metrics) -> None:
    record = RECORD.model_copy(update={"citations": ("Somebody 2020.",)})
    card = render_model_card(manifest(training=record), metrics)
    assert "- Somebody 2020." in card
    assert "Tschandl" not in card


def test_the_manifest_gets_the_headline_figures(metrics: Metrics) -> None:
    results = results_for_manifest(metrics)
    assert manifest().model_copy(update={"results": results}).model_dump_json()
    assert json.loads(json.dumps(results)) == results
    assert len(json.dumps(results)) < 5000
    assert results["measured_sha256"] == SHA256
    assert set(results["slices"]) == {"all", "short_side_ge_180", "short_side_lt_180"}
    estimate = metrics.slices[0].balanced_accuracy
    assert results["slices"]["all"]["balanced_accuracy"] == [
        round(v, 4) for v in (estimate.value, estimate.low, estimate.high) if v is not None
    ]
    assert results["slices"]["all"]["n"] == 400


def test_undefined_figures_are_null_and_dashes() -> None:
    predictions = made([0, 2], one_hot([0, 2]))
    results = results_for_manifest(evaluate(predictions, resamples=0))
    assert results["slices"]["all"]["malignant_auc"] == [None, None, None]
    assert results["measured_sha256"] is None
    assert number(None) == "–"
