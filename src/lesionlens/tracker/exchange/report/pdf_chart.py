"""The chart, drawn in a PDF."""

from __future__ import annotations

from typing import Final

from lesionlens.tracker.exchange.report.chart import Chart
from lesionlens.tracker.exchange.report.pdf_sheet import LINE, SMALL, SOFT, Sheet

__all__ = ["CHART_HEIGHT", "draw_chart"]

_PLOT_HEIGHT: Final = 38.0
CHART_HEIGHT: Final = _PLOT_HEIGHT + 20.0
"""In millimetres, with the legend of up to two models."""

_DOT: Final = 1.1
_GRID: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_GUTTER: Final = 11.0  # for the percents
_LEGEND_STEP: Final = 4.2


def draw_chart(sheet: Sheet, chart: Chart) -> None:
    """Draw a chart where the sheet stands, and go below it."""
    left, right = sheet.l_margin + _GUTTER, sheet.w - sheet.r_margin - 3
    top = sheet.get_y() + 2
    bottom = top + _PLOT_HEIGHT

    def place(share: float, value: float) -> tuple[float, float]:
        return left + share * (right - left), bottom - value * _PLOT_HEIGHT

    sheet.set_draw_color(*LINE)
    sheet.set_line_width(0.15)
    for value in _GRID:
        y = place(0, value)[1]
        sheet.line(left, y, right, y)
        sheet.label(left - 1.5, y + 1, f"{value:.0%}", 7, align="R")
    for at, name in chart.ticks:
        x = place(at, 0)[0]
        sheet.line(x, bottom, x, bottom + 1)
        sheet.label(x, bottom + 4.2, name, 7, align="L" if at == 0 else "R" if at == 1 else "C")
    for series in chart.series:
        colour = bytes.fromhex(series.colour[1:])
        sheet.set_draw_color(*colour)
        sheet.set_line_width(0.5)
        places = [place(at, value) for at, value, _ in series.points]
        if len(places) > 1:
            sheet.polyline(places)
        for (x, y), (_, _, suitable) in zip(places, series.points, strict=True):
            sheet.set_fill_color(*(colour if suitable else (255, 255, 255)))
            sheet.circle(x, y, _DOT, style="DF")
    sheet.set_y(bottom + 6)
    sheet.words(f"{chart.summary}; hollow where the photo was not suitable.", SMALL, colour=SOFT)
    for series in chart.series:
        y = sheet.get_y() + _LEGEND_STEP / 2
        sheet.set_fill_color(*bytes.fromhex(series.colour[1:]))
        sheet.circle(sheet.l_margin + 1.5, y, _DOT, style="F")
        sheet.words(series.name, SMALL, colour=SOFT, left=sheet.l_margin + 4)
    sheet.ln(1)
