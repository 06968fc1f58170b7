"""Pictures that the model should not judge, on a terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from lesionlens.evaluation.figures import Estimate
from lesionlens.evaluation.suitability.records import SuitabilityReport
from lesionlens.evaluation.suitability.wording import reached, strongest_reason
from lesionlens.evaluation.wording import Kind, bounds, number

__all__ = ["alarm_table", "family_table"]


def alarm_table(report: SuitabilityReport) -> Table:
    """Return the false alarms on dermoscopic pictures, by source and diagnosis."""
    asked = number(report.asked_false_alarms)
    table = _table(f"Dermoscopic pictures called something else (asked: {asked} at most)")
    for heading in ("pictures", "false alarms"):
        table.add_column(heading, justify="right")
    for part in report.alarms:
        table.add_row(part.title, f"{part.n:,}", _cell(part.share, "share"))
    return table


def family_table(report: SuitabilityReport) -> Table:
    """Return how well pictures that should not be judged are told from dermoscopic ones."""
    table = _table("Pictures that it should not judge")
    for heading in ("pictures", "AUROC", "asked", "recognised", "strongest\nreason"):
        table.add_column(heading, justify="right")
    for family in report.families:
        missed = " (missed)" if reached(family) is False else ""
        table.add_row(
            family.title,
            f"{family.n:,}",
            _cell(family.auroc, "decimal"),
            number(family.target, "decimal") + missed,
            _cell(family.detected, "share"),
            strongest_reason(family),
        )
    return table


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    return table


def _cell(estimate: Estimate, kind: Kind) -> Text:
    inside = bounds(estimate, kind)
    return Text.assemble(number(estimate.value, kind), (f" {inside}" if inside else "", "dim"))
