"""Figures for pages: SVG by matplotlib that takes its colours and type from the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.figure import Figure

__all__ = ["ACCENT", "CLASS_COLOURS", "INK", "LINE", "SOFT", "WARN", "drawing"]

# matplotlib draws in these stand-ins and the page's CSS says what they are, so one figure serves light and dark.
_STAND_INS: Final = {
    "#010101": "var(--ink)",
    "#020202": "var(--soft)",
    "#030303": "var(--line)",
    "#040404": "var(--accent)",
    "#050505": "var(--warn)",
    **{f"#0606{k:02x}": f"var(--c{k})" for k in range(1, 9)},
}
INK, SOFT, LINE, ACCENT, WARN, *CLASS_COLOURS = _STAND_INS
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lesionlens",
    "font.size": 11,
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 1.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}


@contextmanager
def drawing(title: str, inches: tuple[float, float], drawn: list[Markup]) -> Iterator[Figure]:
    """Give a figure in the style of the pages to draw on, and append it to `drawn` as inline SVG.

    Args:
        title: What the figure shows, for whoever cannot see it.
        inches: Width and height, in which type is 11 points high.
        drawn: Where the SVG goes once the figure is done.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        yield figure
        buffer = io.StringIO()
        # Without metadata the file holds no date and no address.
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawn.append(_inline(buffer.getvalue(), title))


def _inline(svg: str, title: str) -> Markup:
    svg = svg[svg.index("<svg") :]
    # The HTML parser knows SVG without its namespaces. Ids that nothing refers to would repeat from figure to figure.
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r' id="(?!m|p)[^"]*"| id="(patch|matplotlib)[^"]*"', "", svg)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"font: (\d+(?:\.\d+)?px) [^;\"]*", r"font-size: \1", svg)
    for stand_in, variable in _STAND_INS.items():
        svg = svg.replace(stand_in, variable)
    return Markup(svg.replace("<svg", '<svg role="img"', 1).replace(">", f"><title>{escape(title)}</title>", 1))  # noqa: S704 - our own SVG
