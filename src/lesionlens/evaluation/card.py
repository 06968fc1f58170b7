"""The model card, written from what was measured, and the few figures that a manifest carries."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from lesionlens.datasets.licence import ISIC_2019_CITATIONS
from lesionlens.evaluation.schema import Metrics
from lesionlens.evaluation.slices import SHORT_SIDE
from lesionlens.evaluation.templating import render
from lesionlens.evaluation.wording import (
    HEADLINES,
    caution,
    estimate_of,
    folds_named,
    main_slices,
    malignant_share,
    source_slices,
)
from lesionlens.inference.bundle import Manifest

__all__ = ["render_model_card", "results_for_manifest"]

_DARKER: Final = ("tan", "brown", "dark")


class _Count(NamedTuple):
    n: int
    malignant: int


def results_for_manifest(metrics: Metrics) -> dict[str, Any]:
    """Choose the figures for a bundle's `manifest.results`.

    Args:
        metrics: The figures of an evaluation.

    Returns:
        Plain JSON values: what was measured on, the SHA-256 of the graph that was measured, and for each of the main
        parts its size and the headline figures as `[value, low, high]` (None where it is not defined).
    """
    return {
        "data": metrics.data.description,
        "fold": metrics.data.fold,
        "measured_sha256": metrics.model.sha256 if metrics.model else None,
        "bootstrap_resamples": metrics.bootstrap_resamples,
        "slices": {
            part.key: {
                "n": part.n,
                "lesions": part.groups,
                "classes": len(part.classes_present),
                **{
                    h.name: [None if v is None else round(v, 4) for v in (e.value, e.low, e.high)]
                    for h in HEADLINES
                    for e in (estimate_of(part, h.name),)
                },
            }
            for part in main_slices(metrics)
        },
    }


def render_model_card(manifest: Manifest, metrics: Metrics) -> str:
    """Write `MODEL_CARD.md` after Mitchell et al. 2019, *Model Cards for Model Reporting*.

    Args:
        manifest: The bundle's manifest.
        metrics: The figures of an evaluation. If its model has another SHA-256 than the bundle's graph, the card
            says that the figures are those of other weights, and whether these were trained on the pictures.

    Returns:
        Markdown.
    """
    card = render(
        "MODEL_CARD.md.j2",
        manifest=manifest,
        earlier=list(manifest.training.lineage())[1:] if manifest.training else [],
        parts=[part.training for part in manifest.training.averaged] if manifest.training else [],
        metrics=metrics,
        main=main_slices(metrics),
        sources=source_slices(metrics),
        malignant_share=malignant_share,
        small_key=f"short_side_lt_{SHORT_SIDE}",
        dark=_darker_skin(metrics),
        everything=metrics.slices[0],
        citations=(manifest.training.citations if manifest.training else ()) or ISIC_2019_CITATIONS,
        caution=caution(metrics),
        unseen=_unseen(metrics),
        same_weights=metrics.model is not None and metrics.model.sha256 == manifest.graph_sha256,
    )
    # What is left out leaves its empty lines behind; Markdown means nothing by more than one.
    return re.sub(r"\n{3,}", "\n\n", card)


def _darker_skin(metrics: Metrics) -> _Count | None:
    """Count the pictures whose skin was estimated to be tan or darker; None where tones were not looked up."""
    tones = [a for a in (metrics.groups.attributes if metrics.groups else ()) if a.key == "tone"]
    darker = [group for attribute in tones for group in attribute.groups if group.key in _DARKER]
    return _Count(sum(g.n for g in darker), sum(g.malignant for g in darker)) if tones else None


def _unseen(metrics: Metrics) -> str:
    model, fold = metrics.model, metrics.data.fold
    if model is None or not model.train_folds or fold is None or caution(metrics):
        return ""
    return f"trained on {folds_named(model.train_folds)}, without the pictures of fold {fold}"
