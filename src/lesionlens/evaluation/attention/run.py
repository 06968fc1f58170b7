"""All that is asked of the heatmaps, in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from lesionlens.classifier import Classifier
from lesionlens.datasets import ImageSource, Sample
from lesionlens.datasets.masks import MaskSource
from lesionlens.evaluation.attention.baselines import CENTRE_SIGMA
from lesionlens.evaluation.attention.localise import TOLERANCE, results_by_part
from lesionlens.evaluation.attention.perturb import perturb
from lesionlens.evaluation.attention.records import Attention
from lesionlens.evaluation.attention.sampling import draw_evenly
from lesionlens.evaluation.attention.sheet import Tile, choose_tiles, contact_sheet
from lesionlens.evaluation.attention.survey import survey, with_mask

__all__ = ["PERTURBED", "Heatmaps", "examine"]

PERTURBED: Final = 120
"""Pictures for insertion and deletion: each takes 117 forward passes."""

Watch = Callable[[str, int], Callable[[int], object]]


class Heatmaps(NamedTuple):
    """What was found out about the heatmaps.

    Attributes:
        attention: The figures, for `metrics.json`.
        sheet: The contact sheet, for the report.
    """

    attention: Attention
    sheet: list[Tile]


def _unwatched(_title: str, _total: int) -> Callable[[int], object]:
    return lambda _: None


def examine(
    classifier: Classifier,
    samples: Sequence[Sample],
    source: ImageSource,
    masks: MaskSource,
    *,
    limit: int = PERTURBED,
    batch_size: int = 16,
    resamples: int = 1000,
    seed: int = 0,
    watch: Watch = _unwatched,
) -> Heatmaps:
    """Measure whether heatmaps lie on lesions and whether answers depend on them.

    Args:
        classifier: The model.
        samples: The evaluated pictures; those without a mask are left out.
        source: Where their bytes are.
        masks: Their lesion masks.
        limit: Pictures for insertion and deletion, drawn evenly over the diagnoses; 0 leaves these out.
        batch_size: Pictures per forward pass.
        resamples: Number of bootstrap resamples of lesions; 0 for no intervals.
        seed: Of every draw.
        watch: Called with the name and the number of pictures of each stage; what it returns is called with the number
            of pictures done.

    Raises:
        DataError: No picture has a mask, or a picture or mask cannot be used.
        EngineError: The engine failed.
    """
    masked = with_mask(samples, masks)
    found = survey(
        classifier,
        masked,
        source,
        masks,
        batch_size=batch_size,
        progress=watch("Comparing heatmaps with lesions", len(masked)),
    )
    side = classifier.manifest.preprocessing.size
    groups = [row.group for row in found.rows]
    drawn = [found.samples[row] for row in draw_evenly([r.label for r in found.rows], groups, limit, seed)]
    perturbation = None
    if drawn:
        perturbation = perturb(
            classifier,
            drawn,
            source,
            batch_size=batch_size,
            resamples=resamples,
            seed=seed,
            progress=watch("Taking pixels away and putting them back", len(drawn)),
        )
    shown = choose_tiles(found.rows, seed)
    attention = Attention(
        n=len(found.rows),
        groups=len(set(groups)),
        without_mask=len(samples) - len(masked),
        empty_masks=found.empty_masks,
        no_heat=sum(not row.has_heat for row in found.rows),
        side=side,
        grid=found.grid,
        tolerance=TOLERANCE * side,
        centre_sigma=CENTRE_SIGMA * side,
        bootstrap_resamples=resamples,
        seed=seed,
        parts=results_by_part(found.rows, resamples, seed),
        perturbation=perturbation,
    )
    rows = [found.rows[row] for row in shown]
    return Heatmaps(attention, contact_sheet(classifier, [found.samples[row] for row in shown], rows, source, masks))
