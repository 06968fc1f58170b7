"""The report's insertion and deletion curves."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from markupsafe import Markup

from lesionlens.drawing import ACCENT, SOFT, WARN, drawing
from lesionlens.evaluation.attention.records import OrderingName, Perturbation
from lesionlens.evaluation.wording import number

__all__ = ["perturbation_figures"]

_LOOKS: Final[dict[OrderingName, tuple[str, str, str]]] = {
    "heatmap": (ACCENT, "-", "by heat"),
    "random": (SOFT, "--", "at random"),
    "centre": (WARN, "-.", "from the middle"),
}


def perturbation_figures(perturbation: Perturbation | None) -> list[tuple[Markup, str]]:
    """Draw the mean curves.

    Args:
        perturbation: The figures; None gives no curves.

    Returns:
        Inline SVG and caption of the deletion curves, then of the insertion curves.
    """
    if perturbation is None:
        return []
    return [
        (
            _curves(perturbation, "deletion"),
            "Taking pixels away: the sooner the probability falls, the more the answer rested on those taken first.",
        ),
        (
            _curves(perturbation, "insertion"),
            "Putting pixels back: the sooner the probability rises, the more the answer rests on those put back first.",
        ),
    ]


def _curves(perturbation: Perturbation, kind: Literal["insertion", "deletion"]) -> Markup:
    drawn: list[Markup] = []
    done = "put back" if kind == "insertion" else "taken away"
    with drawing(f"{kind.capitalize()} curves", (5.2, 4.6), drawn) as figure:
        axes = figure.add_subplot(
            xlabel=f"share of pixels {done}", ylabel="probability of the answer", xlim=(0, 1), ylim=(0, 1.01)
        )
        for ordering in perturbation.orderings:
            colour, dash, label = _LOOKS[ordering.name]
            curve = ordering.insertion_curve if kind == "insertion" else ordering.deletion_curve
            area = (ordering.insertion if kind == "insertion" else ordering.deletion).value
            shares = np.linspace(0.0, 1.0, len(curve))
            axes.plot(shares, curve, color=colour, linestyle=dash, label=f"{label} {number(area, 'decimal')}")
        axes.legend(loc="lower right" if kind == "insertion" else "upper right", title="AUC")
    return drawn[0]
