"""Looking at every picture that has a lesion mask, and noting where its heat lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lesionlens.classifier import Classifier
from lesionlens.datasets import ImageSource, Sample
from lesionlens.datasets.masks import MaskSource
from lesionlens.errors import DataError
from lesionlens.evaluation.attention.geometry import enlarge, mask_as_seen
from lesionlens.evaluation.attention.localise import Located, Locator
from lesionlens.evaluation.run import Finding, look

__all__ = ["Survey", "lesion_as_seen", "survey", "with_mask"]


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found on the pictures with masks.

    Attributes:
        rows: One per picture of whose lesion the network saw a part.
        samples: The pictures of the rows.
        empty_masks: Number of pictures left out because it saw nothing of the lesion.
        grid: Rows and columns of a class map.
    """

    rows: list[Located]
    samples: list[Sample]
    empty_masks: int
    grid: tuple[int, int]


def with_mask(samples: Sequence[Sample], masks: MaskSource) -> list[Sample]:
    """Return the pictures that have a lesion mask.

    Raises:
        DataError: None has.
    """
    chosen = [s for s in samples if s.image in masks]
    if not chosen:
        raise DataError(
            f"none of the {len(samples):,} pictures has one of the {len(masks):,} lesion masks in the data folder; "
            "masks are matched by identifier (ISIC_…)"
        )
    return chosen


def survey(
    classifier: Classifier,
    samples: Sequence[Sample],
    source: ImageSource,
    masks: MaskSource,
    *,
    batch_size: int = 16,
    progress: Callable[[int], object] = lambda _: None,
) -> Survey:
    """Measure where the heat of the most probable class lies on each picture.

    Args:
        classifier: The model.
        samples: Pictures with masks, at least one.
        source: Where their bytes are.
        masks: Their masks.
        batch_size: Pictures per forward pass.
        progress: Called with 1 after each picture.

    Raises:
        DataError: A picture or mask cannot be read, they do not show the same part, or no lesion was seen at all.
        EngineError: The engine failed.
    """
    side = classifier.manifest.preprocessing.size
    locator = Locator(side)
    rows, kept, grid, empty = [], [], (0, 0), 0
    for finding in look(classifier, samples, source, batch_size=batch_size):
        analysis = finding.analysis
        class_map = analysis.maps[analysis.top]
        grid = (class_map.shape[0], class_map.shape[1])
        lesion = lesion_as_seen(finding, masks.read(finding.sample.image), side)
        progress(1)
        if not lesion.any():
            empty += 1
            continue
        heat = enlarge(class_map, side)
        kept.append(finding.sample)
        rows.append(
            Located(
                image=finding.sample.image,
                group=finding.sample.group,
                label=finding.sample.label,
                answer=analysis.top,
                confidence=analysis.max_confidence,
                has_heat=bool(heat.max() > 0.0),
                scores=locator.scores(heat, lesion),
            )
        )
    if not rows:
        raise DataError(f"the network saw no lesion: all {empty:,} masks are empty in the part that it looks at")
    return Survey(rows, kept, empty, grid)


def lesion_as_seen(finding: Finding, mask: npt.NDArray[np.bool_], side: int) -> npt.NDArray[np.bool_]:
    """Bring the mask of a picture to the network's input; an error names the picture."""
    try:
        return mask_as_seen(mask, finding.photo.size, finding.analysis.seen_box, side)
    except DataError as error:
        raise DataError(f"picture {finding.sample.image}: {error}") from error
