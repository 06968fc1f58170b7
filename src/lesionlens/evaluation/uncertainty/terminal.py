"""Doubt on a terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from lesionlens.evaluation.figures import Estimate
from lesionlens.evaluation.uncertainty.records import SetResult, Uncertainty, UncertaintySlice
from lesionlens.evaluation.wording import bounds, number

__all__ = ["doubt_table"]


def doubt_table(uncertainty: Uncertainty) -> Table:
    """Return the figures on doubt as a table, a column for each part of the pictures.

    Args:
        uncertainty: The figures.
    """
    parts = uncertainty.slices
    table = Table(title="Doubt", title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for part in parts:
        table.add_column(part.title, justify="right")
    table.add_row("AUGRC, by highest probability", *(_area(part, "max_probability") for part in parts))
    table.add_row("AUGRC, by the threshold alone", *(_area(part, "answered") for part in parts))
    table.add_row("AUGRC, best and no order", *(f"{p.augrc_best:.4f} {p.augrc_random:.4f}" for p in parts), style="dim")
    sets = [part.sets for part in parts if part.sets]
    if sets:
        table.add_row(f"Sets for {sets[0].target:.0%} hold the truth", *(_share(s.coverage) for s in sets))
        table.add_row("… each lesion counted once", *(_share(s.lesion_coverage) for s in sets))
        table.add_row("… least, by diagnosis", *(_least(s) for s in sets))
        table.add_row("Diagnoses in a set", *(f"{s.size.value:.2f}" for s in sets))
        table.add_row("Sets of one", *(_share(s.singletons) for s in sets))
    return table


def _share(estimate: Estimate) -> Text:
    return Text.assemble(number(estimate.value), (f" {bounds(estimate)}", "dim"))


def _area(part: UncertaintySlice, score: str) -> Text:
    [area] = [s.augrc for s in part.scores if s.score == score]
    return Text.assemble(f"{area.value:.4f}", (f" {bounds(area, 'decimal')}", "dim"))


def _least(sets: SetResult) -> Text:
    share, code, support = min(
        (c.coverage.value, c.code, c.support) for c in sets.classes if c.coverage.value is not None
    )
    return Text.assemble(number(share), (f" {code}, n = {support:,}", "dim"))
