"""The report's figures: SVG by matplotlib that takes its colours and type from the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.schema import SliceResult
from lesionlens.evaluation.wording import number
from lesionlens.taxonomy import CODES
from lesionlens.uncertainty import malignant_probability

__all__ = [
    "ACCENT",
    "INK",
    "LINE",
    "SOFT",
    "WARN",
    "drawing",
    "reliability_diagram",
    "risk_coverage",
    "roc_curves",
]

# matplotlib draws in these stand-ins and the page's CSS says what they are, so one figure serves light and dark.
_STAND_INS: Final = {
    "#010101": "var(--ink)",
    "#020202": "var(--soft)",
    "#030303": "var(--line)",
    "#040404": "var(--accent)",
    "#050505": "var(--warn)",
    **{f"#0606{k:02x}": f"var(--c{k})" for k in range(1, 9)},
}
INK, SOFT, LINE, ACCENT, WARN, *_CLASS_COLOURS = _STAND_INS
_DASHES: Final = ("-", "--", "-.", ":")  # colour alone must not tell the curves apart
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
    """Give a figure in the report's style to draw on, and append it to `drawn` as inline SVG.

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


@contextmanager
def _axes(title: str, x: str, y: str, drawn: list[Markup]) -> Iterator[Axes]:
    with drawing(title, (5.2, 4.6), drawn) as figure:
        yield figure.add_subplot(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.01))


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


def roc_curves(predictions: Predictions, result: SliceResult) -> Markup:
    """Draw the ROC curve of every diagnosis and of malignant against benign, as inline SVG.

    Args:
        predictions: Truth and answers.
        result: The figures of the same pictures, for the legend.
    """
    drawn: list[Markup] = []
    aucs = {c.code: c.auc.value for c in result.classes}
    with _axes("ROC curves", "1 − specificity", "sensitivity", drawn) as axes:
        axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
        for k, code in enumerate(CODES):
            if aucs[code] is not None:
                fpr, tpr, _ = roc_curve(predictions.label == k, predictions.probabilities[:, k])
                axes.plot(
                    *_thinned(fpr, tpr),
                    color=_CLASS_COLOURS[k],
                    linestyle=_DASHES[k % 4],
                    linewidth=1.4,
                    label=f"{code} {aucs[code]:.3f}",
                )
        if result.malignant_auc.value is not None:
            fpr, tpr, _ = roc_curve(predictions.malignant, malignant_probability(predictions.probabilities))
            label = f"malignant {result.malignant_auc.value:.3f}"
            axes.plot(*_thinned(fpr, tpr), color=INK, linewidth=2.6, label=label)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower right", title="AUC")
    return drawn[0]


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep about 200 points of a curve: as many as a screen can show."""
    keep = np.unique(np.concatenate([[0], np.searchsorted(x + y, np.linspace(0, 2, 200)).clip(0, len(x) - 1)]))
    return x[keep], y[keep]


def reliability_diagram(result: SliceResult) -> Markup:
    """Draw accuracy against confidence in the 15 bins of the calibration error, as inline SVG."""
    drawn: list[Markup] = []
    filled = [b for b in result.reliability if b.count]
    with _axes("Reliability diagram", "highest probability", "share that is right", drawn) as axes:
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle="--", label="perfect")
        axes.bar(
            [b.lower for b in filled],
            [b.accuracy or 0.0 for b in filled],
            width=1 / len(result.reliability),
            align="edge",
            color=ACCENT,
            edgecolor=LINE,
            alpha=0.45,
            label="measured",
        )
        axes.plot([b.confidence or 0.0 for b in filled], [b.accuracy or 0.0 for b in filled], "o", color=ACCENT, ms=4)
        for b in filled:
            axes.annotate(
                f"{b.count}", ((b.lower + b.upper) / 2, 0.01), ha="center", va="bottom", fontsize=8, rotation=90
            )
        axes.legend(loc="upper left")
    return drawn[0]


def risk_coverage(result: SliceResult, threshold: float) -> Markup:
    """Draw accuracy against the share answered, with the model's own threshold marked, as inline SVG.

    Args:
        result: The figures.
        threshold: The model's confidence threshold.
    """
    drawn: list[Markup] = []
    points = [p for p in result.coverage if p.accuracy is not None]
    with _axes("Accuracy by share answered", "share answered", "accuracy of the answers", drawn) as axes:
        axes.plot([p.answered for p in points], [p.accuracy or 0.0 for p in points], color=ACCENT)
        if result.answered.value and result.answered_accuracy.value is not None:
            at = (result.answered.value, result.answered_accuracy.value)
            axes.plot(*at, "o", color=WARN, ms=8)
            axes.annotate(
                f"threshold {threshold:g}:\nanswers {number(at[0])},\n{number(at[1])} of them right",
                at,
                xytext=(-8, -10),
                textcoords="offset points",
                ha="right",
                va="top",
            )
    return drawn[0]
