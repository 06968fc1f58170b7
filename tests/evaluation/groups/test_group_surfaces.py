"""What a person reads of the groups: report, card and terminal say the same, from the measured figures alone."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from group_data import scored, with_traits
from rich.console import Console

from lesionlens.evaluation import Metrics, Predictions, evaluate, render_model_card
from lesionlens.evaluation.groups.plot import forest_plot
from lesionlens.evaluation.groups.wording import chance, definition, difference, listed, verdict, within_sources
from lesionlens.evaluation.report import render_report
from lesionlens.evaluation.schema import Estimate, FixedThreshold, ModelInfo
from lesionlens.evaluation.terminal import show
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.bundle import Manifest

MODEL = ModelInfo(
    name="tiny",
    version="1.0",
    architecture="b0",
    sha256="ab" * 32,
    engine="none",
    confidence_threshold=0.5,
    operating_points=(FixedThreshold(name="sensitivity_90", threshold=0.4),),
)
MANIFEST = Manifest(
    name="tiny", version="1.0", architecture="b0", preprocessing=PreprocessSpec(size=64), graph_sha256="ab" * 32
)


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    """Cancers of women score lower; one person's sex is not known, nobody's body site is, and four skins are brown."""
    n = 400
    rng = np.random.default_rng(1)
    malignant, female = np.arange(n) % 2 == 0, np.arange(n) % 4 < 2
    scores = np.where(malignant, np.where(female, 0.4, 0.75), 0.2) + rng.normal(0, 0.1, n)
    return with_traits(
        scored(malignant.tolist(), scores.tolist(), ["HAM"] * 200 + ["MSK<i>"] * 200),
        sex=["", *np.where(female, "female", "male")[1:].tolist()],
        age=[45] * 200 + [70] * 200,
        ita=[-10] * 4 + [60] * 396,
    )


@pytest.fixture(scope="module")
def metrics(predictions: Predictions) -> Metrics:
    return evaluate(predictions, model=MODEL, description="Made up.", fold=0, resamples=100)


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_card_names_the_weaker_groups(metrics: Metrics) -> None:
    assert metrics.groups is not None
    card = render_model_card(MANIFEST, metrics)
    assert f"**{verdict(metrics.groups, intervals=True)}**" in card
    assert "is weaker for" in verdict(metrics.groups, intervals=True)
    assert f"- It misses more malignant lesions (sensitivity) for {listed(metrics.groups, 'sensitivity')}.\n" in card
    [female] = [g for g in metrics.groups.attributes[0].groups if g.key == "female"]
    compared = female.comparison("sensitivity")
    assert compared is not None
    assert f"for sex: female {difference(compared.difference, 'sensitivity')}" in card
    assert within_sources(metrics.groups) in card
    assert "calls more benign" not in card
    assert definition(metrics.groups.judgement) in card
    assert chance(metrics.groups.judgement) in card
    assert "| female (weaker) |" in card
    assert "| male |" in card
    assert "sex: male" not in card
    assert "| unknown (too few to judge) | 1 (1) |" in card
    assert "by sex, by age, by sex and age, by source, by estimated skin tone." in card
    assert "Body site: not known of any picture" in card
    assert "4 of the 400 measured here (2 malignant) show tan, brown or dark skin" in " ".join(card.split())


def test_a_card_without_groups_says_so(predictions: Predictions, metrics: Metrics) -> None:
    card = render_model_card(MANIFEST, metrics.model_copy(update={"groups": None}))
    assert "were not looked up for these figures" in card
    assert "weaker" not in card
    assert "show tan, brown or dark skin" not in card


def test_the_report_has_a_table_for_every_attribute_and_a_forest_plot(
    predictions: Predictions, metrics: Metrics
) -> None:
    html = render_report(metrics, predictions)
    section = html.partition("<h2>Whom it serves worse</h2>")[2].partition("</section>")[0]
    text = plain(section)
    assert metrics.groups is not None
    assert verdict(metrics.groups, intervals=True) in text
    assert definition(metrics.groups.judgement) in text.replace("&#39;", "'")
    for attribute in metrics.groups.attributes:
        assert f"<summary>{attribute.title}</summary>" in section
    assert section.count("<table>") == len(metrics.groups.attributes)
    assert section.count("<svg ") == 1
    assert "MSK&lt;i&gt;" in section
    assert "MSK<i>" not in html
    assert text.count("too few to judge") == sum(not g.judged for a in metrics.groups.attributes for g in a.groups)
    assert '<td class="weaker">' in section
    assert not re.search(r"#0[1-6]0", section)  # the stand-ins for colours are all replaced
    assert "<h2>Whom it serves worse</h2>" not in render_report(
        metrics.model_copy(update={"groups": None}), predictions
    )


def test_rows_and_headings_of_the_tables_are_equally_long(predictions: Predictions, metrics: Metrics) -> None:
    html = render_report(metrics, predictions).partition("<h2>Whom it serves worse</h2>")[2].partition("</section>")[0]
    for table in re.findall(r"<table>.*?</table>", html, re.DOTALL):
        lengths = {len(re.findall(r"<t[hd]\b", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)}
        assert len(lengths) == 1


def test_the_terminal_says_it_in_a_line(metrics: Metrics) -> None:
    console = Console(width=80, file=io.StringIO(), record=True)
    show(metrics, console)
    text = " ".join(console.export_text().split())
    assert metrics.groups is not None
    assert verdict(metrics.groups, intervals=True) in text


def test_nothing_is_claimed_without_grounds(predictions: Predictions, metrics: Metrics) -> None:
    unsure = evaluate(predictions, model=MODEL, resamples=0).groups
    assert unsure is not None
    assert verdict(unsure, intervals=False) == "Without bootstrap intervals no group can be called weaker."
    assert within_sources(unsure) == ""
    few = evaluate(predictions.subset(np.arange(400) < 20), model=MODEL, resamples=10).groups
    assert few is not None
    assert verdict(few, intervals=True) == "No group is large enough to be judged."
    assert chance(few.judgement) == "No group was large enough to be compared."
    assert forest_plot(few) is None
    same = with_traits(predictions, sex=["female", "female", "male", "male"] * 100)
    rng = np.random.default_rng(2)
    alike = scored(same.malignant.tolist(), (np.where(same.malignant, 0.7, 0.2) + rng.normal(0, 0.1, 400)).tolist())
    none = evaluate(with_traits(alike, sex=["female", "female", "male", "male"] * 100), resamples=100).groups
    assert none is not None
    assert verdict(none, intervals=True).startswith("The model is weaker for none of the 2 groups")
    assert "does not prove" in verdict(none, intervals=True)


def test_a_model_without_operating_points_has_narrower_tables(predictions: Predictions) -> None:
    bare = evaluate(predictions, resamples=20)
    assert bare.groups is not None
    assert "sensitivity" not in definition(bare.groups.judgement)
    card = render_model_card(MANIFEST, bare)
    assert "| Sex | Pictures (malignant) | Malignant AUC | Melanomas recognised | Calibration error |" in card
    assert "Whom it serves worse" in render_report(bare, predictions)


def test_the_figures_survive_the_file(metrics: Metrics) -> None:
    assert Metrics.model_validate_json(metrics.model_dump_json()) == metrics


def test_metrics_of_earlier_versions_have_no_groups(metrics: Metrics) -> None:
    old = metrics.model_dump(mode="json", exclude={"groups", "uncertainty", "attention", "suitability"})
    assert Metrics.model_validate(old).groups is None


@pytest.mark.parametrize(
    ("estimate", "figure", "text"),
    [
        (Estimate(value=-0.082, low=-0.121, high=-0.0432), "sensitivity", "−8.2 points (−12.1 to −4.3)"),
        (Estimate(value=0.0421, low=-0.01, high=0.08), "malignant_auc", "+0.042 (−0.010 to +0.080)"),
        (Estimate(value=-0.05), "specificity", "−5.0 points"),
        (Estimate(value=None), "malignant_auc", "–"),
    ],
)
def test_differences_are_written_with_their_sign(estimate: Estimate, figure: str, text: str) -> None:
    assert difference(estimate, figure) == text
