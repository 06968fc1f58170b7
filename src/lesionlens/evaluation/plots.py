"""The report's figures: SVG by matplotlib that takes its colours and type from the page around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from sklearn.metrics import roc_curve

from lesionlens.drawing import ACCENT, CLASS_COLOURS, INK, LINE, SOFT, WARN, drawing
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.schema import SliceResult
from lesionlens.evaluation.wording import number
from lesionlens.taxonomy import CODES
from lesionlens.uncertainty import malignant_probability

__all__ = [
    "reliability_diagram",
    "risk_coverage",
    "roc_curves",
]

_DASHES: Final = ("-", "--", "-.", ":")  # colour alone must not tell the curves apart


@contextmanager
def _axes(title: str, x: str, y: str, drawn: list[Markup]) -> Iterator[Axes]:
    with drawing(title, (5.2, 4.6), drawn) as figure:
        yield figure.add_subplot(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.01))


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
                    color=CLASS_COLOURS[k],
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
