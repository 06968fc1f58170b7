"""The chart as inline SVG."""

from __future__ import annotations

from html import escape
from typing import Final

from lesionlens.tracker.exchange.report.chart import Chart, Series

__all__ = ["chart_svg"]

_WIDTH: Final = 640
_HEIGHT: Final = 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 24, 12, 30
_GRID: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


def chart_svg(chart: Chart) -> str:
    """Return the chart as an `svg` element with a title for those who do not see it."""
    grid = "".join(
        f'<path d="M{_LEFT} {_y(v):g}H{_WIDTH - _RIGHT}" stroke="currentColor" stroke-opacity=".2"/>'
        f'<text x="{_LEFT - 6}" y="{_y(v) + 4:g}" text-anchor="end">{v:.0%}</text>'
        for v in _GRID
    )
    ticks = "".join(
        f'<path d="M{_x(at):g} {_y(0):g}v5" stroke="currentColor"/>'
        f'<text x="{_x(at):g}" y="{_HEIGHT - 8}" class="{_anchor(at)}" text-anchor="{_anchor(at)}">'
        f"{escape(name)}</text>"
        for at, name in chart.ticks
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" font-size="12" fill="currentColor">'
        f"<title>{escape(chart.summary)}</title>{grid}{ticks}{''.join(map(_line, chart.series))}</svg>"
    )


def _line(series: Series) -> str:
    places = [(_x(at), _y(value), suitable) for at, value, suitable in series.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in places)
    line = f'<path d="{path}" fill="none" stroke="{series.colour}" stroke-width="2"/>'
    # Hollow where the photo was not suitable: the number means little there.
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" stroke="{series.colour}" stroke-width="2" '
        f'fill="{series.colour if suitable else "none"}"/>'
        for x, y, suitable in places
    )
    return line + dots


def _anchor(at: float) -> str:
    return "start" if at == 0 else "end" if at == 1 else "middle"


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float) -> float:
    return _HEIGHT - _BOTTOM - value * (_HEIGHT - _TOP - _BOTTOM)
