"""The result on a terminal: small enough to see at once, plain enough for a stranger."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lesionlens.evaluation.attention.records import Attention, Perturbation
from lesionlens.evaluation.groups.wording import verdict
from lesionlens.evaluation.schema import Metrics, SliceResult
from lesionlens.evaluation.suitability.terminal import alarm_table, family_table
from lesionlens.evaluation.uncertainty.terminal import doubt_table
from lesionlens.evaluation.wording import HEADLINES, bounds, caution, estimate_of, main_slices, number, operating_name
from lesionlens.taxonomy import BY_CODE, NUM_CLASSES

__all__ = ["show"]


def show(metrics: Metrics, console: Console) -> None:
    """Print the headline figures, the diagnoses and the malignant-or-benign thresholds.

    Args:
        metrics: The figures.
        console: Where to print.
    """
    model, data = metrics.model, metrics.data
    name = f"{model.name} {model.version}" if model else "Predictions of an unnamed model"
    console.print(f"\n[bold]{escape(name)}[/] on {data.n:,} pictures of {data.groups:,} lesions.", highlight=False)
    console.print(escape(data.description), highlight=False)
    if warning := caution(metrics):
        console.print(f"[bold red]Beware:[/] {warning}", highlight=False)
    console.print(_headlines(metrics))
    console.print(_classes(metrics.slices[0]))
    console.print(_malignancy(metrics.slices[0]))
    if metrics.uncertainty:
        console.print(doubt_table(metrics.uncertainty))
    if metrics.attention:
        console.print(_heatmaps(metrics.attention))
        if metrics.attention.perturbation:
            console.print(_perturbation(metrics.attention.perturbation))
    if metrics.suitability:
        console.print(alarm_table(metrics.suitability))
        console.print(family_table(metrics.suitability))
    if metrics.groups:
        said = verdict(metrics.groups, intervals=metrics.bootstrap_resamples > 0)
        console.print(f"[bold]By group of people and pictures:[/] {escape(said)}", highlight=False)
    if metrics.bootstrap_resamples:
        console.print(
            f"Dim: 95 % intervals from {metrics.bootstrap_resamples:,} resamples of the lesions.",
            style="dim",
            highlight=False,
        )
    console.print(metrics.notice, style="italic", highlight=False)


def _headlines(metrics: Metrics) -> Table:
    parts = main_slices(metrics)
    table = _table("How good it is")
    for part in parts:
        missing = NUM_CLASSES - len(part.classes_present)
        note = f"\n{len(part.classes_present)} of {NUM_CLASSES} diagnoses" if missing else ""
        table.add_column(f"{part.title}\nn = {part.n:,}{note}", justify="right")
    for headline in HEADLINES:
        cells = []
        for part in parts:
            estimate = estimate_of(part, headline.name)
            cells.append(_cell(number(estimate.value, headline.kind), bounds(estimate, headline.kind)))
        table.add_row(headline.title, *cells)
    return table


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    return table


def _cell(figure: str, interval: str) -> Text:
    return Text.assemble(figure, (f" {interval}" if interval else "", "dim"))


def _classes(result: SliceResult) -> Table:
    table = _table("By diagnosis (all pictures)")
    for heading in ("pictures", "recognised", "others\nleft alone", "AUC"):
        table.add_column(heading, justify="right")
    for c in result.classes:
        table.add_row(
            f"{c.code}  {BY_CODE[c.code].name}",
            f"{c.support:,}",
            _cell(number(c.sensitivity.value), bounds(c.sensitivity)),
            number(c.specificity.value),
            number(c.auc.value, "decimal"),
        )
    return table


def _malignancy(result: SliceResult) -> Table:
    table = _table("Malignant or benign (all pictures)")
    for heading in ("suspicious\nfrom", "malignant\nfound", "benign\nleft alone"):
        table.add_column(heading, justify="right")
    for point in result.operating_points:
        table.add_row(
            operating_name(point),
            number(point.threshold, "decimal"),
            _cell(number(point.sensitivity.value), bounds(point.sensitivity)),
            _cell(number(point.specificity.value), bounds(point.specificity)),
        )
    return table


def _heatmaps(attention: Attention) -> Table:
    table = _table(f"Heatmaps ({attention.n:,} pictures with an outline of the lesion)")
    for heading in ("heat on\nthe lesion", "hottest point\non the lesion", "that of\neven heat", "that of\nthe middle"):
        table.add_column(heading, justify="right")
    for part in (attention.part(key) for key in ("all", "correct", "wrong")):
        if part:
            table.add_row(
                f"{part.title}\nn = {part.n:,}",
                *(_cell(number(s.heatmap.value), bounds(s.heatmap)) for s in (part.energy, part.pointing)),
                *(number(e.value) for e in (part.pointing.uniform, part.pointing.centre)),
            )
    return table


def _perturbation(perturbation: Perturbation) -> Table:
    table = _table(f"Pixels put back and taken away ({perturbation.n:,} pictures)")
    for heading in ("insertion AUC\nmore is better", "deletion AUC\nless is better"):
        table.add_column(heading, justify="right")
    for ordering in perturbation.orderings:
        table.add_row(
            {"heatmap": "by heat", "random": "at random", "centre": "from the middle outwards"}[ordering.name],
            *(_cell(number(e.value, "decimal"), bounds(e, "decimal")) for e in (ordering.insertion, ordering.deletion)),
        )
    return table
