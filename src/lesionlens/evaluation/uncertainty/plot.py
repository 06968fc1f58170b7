"""The figure of the report that shows which share of all pictures gets a wrong answer."""

from __future__ import annotations

from typing import Final

import numpy as np
from markupsafe import Markup

from lesionlens.drawing import ACCENT, INK, LINE, SOFT, WARN, drawing
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.uncertainty.records import UncertaintySlice
from lesionlens.evaluation.uncertainty.selective import RiskCoverage, confidence_scores
from lesionlens.evaluation.wording import number

__all__ = ["generalised_risk_coverage"]

_POINTS: Final = 200  # of a curve: as many as a screen can show
_CURVES: Final = {
    "max_probability": ("highest probability", ACCENT, "-"),
    "margin": ("margin", INK, "--"),
    "entropy": ("entropy", INK, ":"),
}
_RULES: Final = {"confident": ("the model's own threshold", "o"), "single": ("one diagnosis in the set", "s")}


def generalised_risk_coverage(predictions: Predictions, result: UncertaintySlice) -> Markup:
    """Draw how many of all pictures get a wrong answer against the share answered, as inline SVG.

    Args:
        predictions: Truth and answers.
        result: The figures of the same pictures: the areas for the legend, and the rules to mark.
    """
    drawn: list[Markup] = []
    wrong, areas = predictions.top != predictions.label, {str(s.score): s.augrc.value for s in result.scores}
    risk = float(wrong.mean())
    with drawing("Wrong answers by share answered", (5.2, 4.6), drawn) as figure:
        axes = figure.add_subplot(xlabel="share answered", ylabel="share of all pictures answered wrongly")
        axes.set(xlim=(0, 1), ylim=(0, max(1.7 * risk, 0.01)))  # the legend needs the upper part
        axes.plot([0, 1], [0, risk], color=LINE, label=f"{result.augrc_random:.4f} no order")
        axes.plot([0, 1 - risk, 1], [0, 0, risk], color=SOFT, lw=1, label=f"{result.augrc_best:.4f} perfect order")
        for name, score in confidence_scores(predictions).items():
            [coverage], [mistaken] = RiskCoverage(wrong, score).curve(np.ones((1, len(wrong))))
            rows = np.unique(np.searchsorted(coverage, np.linspace(0.0, 1.0, _POINTS)).clip(0, len(coverage) - 1))
            title, colour, dashes = _CURVES[name]
            axes.plot(
                np.append(0.0, coverage[rows]),
                np.append(0.0, mistaken[rows]),
                dashes,
                color=colour,
                label=f"{areas[name]:.4f} {title}",
            )
        for rule in result.rules:
            title, marker = _RULES[rule.rule]
            label = f"{title}: {number(rule.coverage.value)} answered"
            at = (rule.coverage.value or 0.0, rule.generalised_risk.value or 0.0)
            axes.plot(*at, marker, color=WARN, ms=8, label=label)
        axes.legend(loc="upper left", title="AUGRC", alignment="left")
    return drawn[0]
