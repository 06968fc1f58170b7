"""The report: complete, self-contained, and safe to open."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from made_predictions import made, one_hot
from PIL import Image
from rich.console import Console

from lesionlens import DISCLAIMER, Classifier
from lesionlens.evaluation import Metrics, Predictions, evaluate
from lesionlens.evaluation.mistakes import mistake, worst
from lesionlens.evaluation.report import render_report
from lesionlens.evaluation.run import Finding
from lesionlens.evaluation.schema import FixedThreshold, ModelInfo
from lesionlens.evaluation.terminal import show
from lesionlens.evaluation.wording import bounds, number, spread
from lesionlens.taxonomy import DIAGNOSES

MODEL = ModelInfo(
    name="tiny",
    version="1.0",
    architecture="efficientnet_b0",
    sha256="ab" * 32,
    engine="onnxruntime 1 on cpu in fp32",
    confidence_threshold=0.5,
    operating_points=(FixedThreshold(name="sensitivity_90", threshold=0.4),),
    train_folds=(1, 2),
)
_VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Collects text and addresses, and checks that tags are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(html)
        assert self.open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "action", "poster", "srcset"}:
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


@pytest.fixture(scope="module")
def metrics(mixed: Predictions) -> Metrics:
    return evaluate(mixed, model=MODEL, description="Made up.", fold=0, resamples=20)


@pytest.fixture(scope="module")
def findings(mixed: Predictions, embedded_model: str) -> list[Finding]:
    from lesionlens.datasets import Sample

    classifier = Classifier(embedded_model, engine="onnxruntime")
    photos = [Image.new("RGB", (500, 400), colour) for colour in ("tan", "brown")]
    return [
        Finding(Sample(f"ISIC_{i}", 0, str(i), "HAM<b>"), photo, analysis)
        for i, (photo, analysis) in enumerate(zip(photos, classifier.analyse(photos), strict=True))
    ]


def test_nothing_is_fetched_from_anywhere(metrics: Metrics, mixed: Predictions, findings: list[Finding]) -> None:
    html = render_report(metrics, mixed, [mistake(findings[0])], [mistake(findings[1])])
    page = Page(html)
    assert page.addresses
    assert all(address.startswith(("data:image/jpeg;base64,", "#")) for address in page.addresses)
    assert not re.search(r"https?:|url\((?!#)|@import|<script|<link", html)


def test_figures_refer_to_what_exists(metrics: Metrics, mixed: Predictions) -> None:
    html = render_report(metrics, mixed)
    page = Page(html)
    referred = {a[1:] for a in page.addresses} | set(re.findall(r"url\(#([^)]+)\)", html))
    assert referred
    assert referred <= set(page.ids)
    assert len(re.findall(r"<svg ", html)) == 4
    assert not re.search(r"#0[1-6]0", html)  # the stand-ins for colours are all replaced


def test_the_page_says_what_a_reader_needs(metrics: Metrics, mixed: Predictions) -> None:
    text = Page(render_report(metrics, mixed)).text
    assert text.count(DISCLAIMER) == 2
    assert "tiny 1.0: how good is it?" in text
    assert "400 pictures of 200 lesions" in text
    balanced = metrics.slices[0].balanced_accuracy
    assert number(balanced.value) in text
    assert bounds(balanced) in text
    for d in DIAGNOSES:
        assert d.name in text
    for words in ("180 px and more", "HAM", "BCN", "bundle: sensitivity_90", MODEL.sha256, "20 resamples", "No photos"):
        assert words in text


def test_a_model_measured_on_its_training_pictures_is_called_out(metrics: Metrics, mixed: Predictions) -> None:
    assert "Beware" not in render_report(metrics, mixed)
    seen = evaluate(mixed, model=MODEL, description="Made up.", fold=2, resamples=0)
    assert "trained on folds 1, 2" in Page(render_report(seen, mixed)).text
    everything = evaluate(mixed, model=MODEL, description="Made up.", fold=None, resamples=0)
    assert "trained on folds 1, 2" in printed(everything)


def test_a_model_measured_on_its_validation_pictures_is_called_out(mixed: Predictions) -> None:
    model = MODEL.model_copy(update={"validation_fold": 4})
    judged = evaluate(mixed, model=model, description="Made up.", fold=4, resamples=0)
    text = Page(render_report(judged, mixed)).text
    assert "The epoch was chosen and the probabilities were calibrated on fold 4." in text
    assert "trained on folds" not in text
    everything = " ".join(printed(evaluate(mixed, model=model, fold=None, resamples=0)).split())
    assert "trained on folds 1, 2" in everything
    assert "calibrated on fold 4" in everything
    assert "Beware" not in printed(evaluate(mixed, model=model, fold=0, resamples=0))


def test_mistakes_show_photo_and_heatmap_side_by_side(
    metrics: Metrics, mixed: Predictions, findings: list[Finding]
) -> None:
    shown = mistake(findings[0])
    page = Page(render_report(metrics, mixed, [shown]))
    photo, heatmap = (
        Image.open(io.BytesIO(base64.b64decode(a.partition(",")[2]))) for a in page.addresses if a.startswith("data:")
    )
    assert photo.size == heatmap.size == (320, 256)
    assert np.asarray(photo).tolist() != np.asarray(heatmap).tolist()
    assert "Missed melanomas" in page.text
    assert f"MEL taken for {shown.answer.code} with {number(shown.confidence)}" in page.text
    assert "ISIC_0 · HAM<b>" in page.text  # shown as it is, not obeyed


def test_the_worst_mistakes_come_first_and_once_per_lesion() -> None:
    logits = np.vstack([one_hot([1], s) for s in (3, 6, 4, 5)] + [one_hot([0], 2), one_hot([0], 7), one_hot([0], 9)])
    labels, groups = [0, 0, 0, 0, 1, 2, 0], ["a", "b", "b", "c", "d", "e", "f"]
    missed, other = worst(made(labels, logits, groups))
    assert missed.tolist() == [1, 3, 0]
    assert other.tolist() == [5, 4]
    missed, other = worst(made(labels, logits, groups), per_kind=1)
    assert (missed.tolist(), other.tolist()) == ([1], [5])


def test_a_report_of_few_pictures_of_one_class_is_still_a_report() -> None:
    predictions = made([0, 0], np.zeros((2, 8)))
    text = Page(render_report(evaluate(predictions, resamples=10), predictions)).text
    assert "How good are these predictions?" in text
    assert "–" in text


def test_the_threshold_is_read_off_the_answers_when_no_model_says_it() -> None:
    predictions = made([0, 1], np.vstack([one_hot([0], 1.0), one_hot([1], 3.0)]), threshold=0.7)
    html = render_report(evaluate(predictions, resamples=0), predictions)
    assert "threshold 0.74" in html  # the least confidence that was answered: e³ / (e³ + 7)


def test_equal_input_gives_an_equal_report(metrics: Metrics, mixed: Predictions) -> None:
    assert render_report(metrics, mixed) == render_report(metrics, replace(mixed))


def printed(metrics: Metrics, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    show(metrics, console)
    return console.export_text()


def test_the_terminal_fits_eighty_columns_and_says_the_same(metrics: Metrics) -> None:
    text = printed(metrics)
    assert max(map(len, text.splitlines())) <= 80
    assert spread(metrics.slices[0].balanced_accuracy).replace("(", "").replace(")", "") in text
    assert "tiny 1.0 on 400 pictures of 200 lesions" in text
    assert "Melanoma" in text
    assert " ".join(text.split()).endswith(DISCLAIMER)


def test_the_terminal_says_how_many_diagnoses_occur() -> None:
    text = printed(evaluate(made([0, 1], one_hot([0, 1])), description="[bold]x[/]", resamples=0))
    assert "2 of 8 diagnoses" in text
    assert "Predictions of an unnamed model" in text
    assert "[bold]x[/]" in text
    assert "intervals" not in text
