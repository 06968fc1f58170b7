"""`report.html`: one file that a person opens, with nothing to fetch."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from lesionlens.evaluation.attention.plot import perturbation_figures
from lesionlens.evaluation.attention.sheet import Tile
from lesionlens.evaluation.mistakes import Mistake
from lesionlens.evaluation.plots import reliability_diagram, risk_coverage, roc_curves
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.schema import Metrics
from lesionlens.evaluation.templating import render
from lesionlens.evaluation.uncertainty.plot import generalised_risk_coverage
from lesionlens.evaluation.wording import caution, main_slices, source_slices
from lesionlens.taxonomy import NOT_CONFIDENT_INDEX

__all__ = ["render_report"]


def render_report(
    metrics: Metrics,
    predictions: Predictions,
    missed_melanomas: Sequence[Mistake] = (),
    other_mistakes: Sequence[Mistake] = (),
    heatmap_sheet: Sequence[Tile] = (),
) -> str:
    """Write the report.

    Args:
        metrics: The figures.
        predictions: What they were computed from.
        missed_melanomas: Melanomas taken for something else, worst first.
        other_mistakes: Other wrong answers, worst first. Without pictures the report says that it has none.
        heatmap_sheet: The contact sheet of heatmaps; shown if `metrics.attention` is there.

    Returns:
        A self-contained HTML page: styles, figures and photos are in it.
    """
    everything = metrics.slices[0]
    return render(
        "report.html.j2",
        metrics=metrics,
        caution=caution(metrics),
        everything=everything,
        main=main_slices(metrics),
        sources=source_slices(metrics),
        figures=[
            (
                roc_curves(predictions, everything),
                "How much of a diagnosis is found (up) for how many false alarms (right), as the threshold moves. "
                "The closer to the upper left corner, the better; the diagonal is guessing.",
            ),
            (
                reliability_diagram(everything),
                "When the model says 70 %, is it right 70 % of the time? Bars below the dashed line: it is too sure of "
                "itself. The small numbers count pictures.",
            ),
            (
                risk_coverage(everything, _threshold(metrics, predictions)),
                "Answering only when sure: the fewer pictures are answered (left), the more answers should be right.",
            ),
        ],
        doubt_figure=None
        if metrics.uncertainty is None
        else generalised_risk_coverage(predictions, metrics.uncertainty.slices[0]),
        missed_melanomas=missed_melanomas,
        other_mistakes=other_mistakes,
        heatmap_sheet=heatmap_sheet,
        heatmap_figures=perturbation_figures(metrics.attention.perturbation if metrics.attention else None),
        css=resources.files(__package__).joinpath("templates", "report.css").read_text(encoding="utf-8"),
    )


def _threshold(metrics: Metrics, predictions: Predictions) -> float:
    """Return the confidence threshold; without a model's word, the least confidence that was answered."""
    if metrics.model:
        return metrics.model.confidence_threshold
    answered = predictions.prediction != NOT_CONFIDENT_INDEX
    return round(float(predictions.confidence[answered].min()), 2) if answered.any() else 1.0
