"""The forest plot of the groups: each group's difference to all other pictures, with its interval."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup
from matplotlib.axes import Axes

from lesionlens.drawing import ACCENT, INK, LINE, SOFT, WARN, drawing
from lesionlens.evaluation.groups.records import GroupReport, GroupResult
from lesionlens.evaluation.groups.wording import FIGURES

__all__ = ["forest_plot"]

_ROW: Final = 0.19  # inches
_MARGINS: Final = 1.1


def forest_plot(report: GroupReport) -> Markup | None:
    """Draw the differences of all judged groups, a panel for each compared figure, as inline SVG.

    Args:
        report: The groups.

    Returns:
        The figure; None if no group was judged.
    """
    rows: list[tuple[str, GroupResult | None]] = []
    for attribute in report.attributes:
        judged = [group for group in attribute.groups if group.judged]
        if judged:
            rows += [(attribute.title, None), *((group.title, group) for group in judged)]
    if not rows:
        return None
    figures = [name for name in FIGURES if any(group and group.comparison(name) for _, group in rows)]
    drawn: list[Markup] = []
    title = "Differences of the groups to all other pictures"
    with drawing(title, (2.6 + 2.8 * len(figures), _MARGINS + _ROW * len(rows)), drawn) as figure:
        panels = figure.subplots(1, len(figures), sharey=True, squeeze=False)[0]
        for panel, name in zip(panels, figures, strict=True):
            _panel(panel, name, rows, report.judgement.margin)
        panels[0].set_yticks(range(len(rows)), [text if group else text.upper() for text, group in rows])
        panels[0].set_ylim(len(rows) - 0.5, -0.5)
        for label, (_, group) in zip(panels[0].get_yticklabels(), rows, strict=True):
            label.set_color(INK if group else SOFT)
    return drawn[0]


def _panel(panel: Axes, name: str, rows: list[tuple[str, GroupResult | None]], margin: float) -> None:
    panel.set_xlabel(FIGURES[name])
    panel.grid(visible=False, axis="y")
    panel.tick_params(axis="y", length=0, labelsize=9)
    panel.axvline(0.0, color=SOFT, linewidth=1)
    panel.axvline(-margin, color=LINE, linewidth=1.2, linestyle="--")
    for y, (_, group) in enumerate(rows):
        comparison = group.comparison(name) if group else None
        if comparison is None or (value := comparison.difference.value) is None:
            continue
        at, weaker = comparison.difference, comparison.weaker
        colour = WARN if weaker else ACCENT
        if at.low is not None and at.high is not None:
            panel.plot([at.low, at.high], [y, y], color=colour, linewidth=1.6)
        # The shape says it too, for whoever cannot tell the colours apart.
        panel.plot([value], [y], "D" if weaker else "o", color=colour, markersize=6 if weaker else 4.5)
