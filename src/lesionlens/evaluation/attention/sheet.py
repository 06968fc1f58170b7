"""A contact sheet: photos and heatmaps with the outline of the lesion, for a person to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from lesionlens.attention import overlay
from lesionlens.classifier import Classifier
from lesionlens.datasets import ImageSource, Sample
from lesionlens.datasets.masks import MaskSource
from lesionlens.evaluation.attention.localise import Located
from lesionlens.evaluation.attention.sampling import draw_evenly
from lesionlens.evaluation.mistakes import data_url
from lesionlens.evaluation.run import look
from lesionlens.taxonomy import Diagnosis, diagnosis

__all__ = ["TILES", "Tile", "choose_tiles", "contact_sheet", "outlined"]

TILES: Final = 50
_SIDE: Final = 208  # pixels; fifty pairs then take about 1.5 MB on the page
_QUALITY: Final = 80


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the contact sheet.

    Attributes:
        image: Identifier of the picture.
        source: Collection it comes from; empty if unknown.
        truth: What it is.
        answer: The most probable class.
        confidence: Its probability, 0–1.
        energy: Share of the heat that lies on the lesion.
        hit: Whether the hottest point lies on the lesion, without tolerance.
        photo: The photo with the lesion's outline, as a data URL.
        heatmap: The photo under the Grad-CAM of the answer, with the same outline, as a data URL.
    """

    image: str
    source: str
    truth: Diagnosis
    answer: Diagnosis
    confidence: float
    energy: float
    hit: bool
    photo: str
    heatmap: str

    @property
    def correct(self) -> bool:
        """Whether the answer is right."""
        return self.truth == self.answer


def choose_tiles(rows: Sequence[Located], seed: int, number: int = TILES) -> list[int]:
    """Choose pictures of every diagnosis, answered rightly and wrongly, as evenly as there are.

    Returns:
        Row numbers: by diagnosis, the right answers first.
    """
    return draw_evenly([(r.label, not r.correct) for r in rows], [r.group for r in rows], number, seed)


def contact_sheet(
    classifier: Classifier,
    samples: Sequence[Sample],
    rows: Sequence[Located],
    source: ImageSource,
    masks: MaskSource,
) -> list[Tile]:
    """Draw the tiles of some pictures.

    Args:
        classifier: The model.
        samples: The pictures.
        rows: What was measured on them.
        source: Where their bytes are.
        masks: Their lesion masks.

    Raises:
        DataError: A picture or mask cannot be read.
        EngineError: The engine failed.
    """
    tiles = []
    for finding, row in zip(look(classifier, samples, source), rows, strict=True):
        photo = finding.photo.copy()
        photo.thumbnail((_SIDE, _SIDE))
        mask = masks.read(row.image)
        # The very overlay that users get, so that a fault in it would show here.
        heatmap = overlay(photo, finding.analysis.maps[row.answer], box=finding.analysis.seen_box)
        tiles.append(
            Tile(
                image=row.image,
                source=finding.sample.source,
                truth=diagnosis(row.label),
                answer=diagnosis(row.answer),
                confidence=row.confidence,
                energy=row.scores["energy:heatmap"],
                hit=row.scores["pointing:heatmap"] >= 0.5,
                photo=data_url(outlined(photo, mask), _QUALITY),
                heatmap=data_url(outlined(heatmap, mask), _QUALITY),
            )
        )
    return tiles


def outlined(picture: Image.Image, mask: npt.NDArray[np.bool_]) -> Image.Image:
    """Draw the outline of a mask: white just inside it and black just outside, to be seen on any colour.

    Args:
        picture: RGB picture.
        mask: bool `[H, W]` of the same part of the skin, at any scale.

    Returns:
        A new RGB picture.
    """
    scaled = Image.fromarray(mask.astype(np.float32)).resize(picture.size, resample=Image.Resampling.BOX)
    lesion = np.asarray(scaled) >= 0.5
    pixels = np.array(picture)
    # border_value: where a lesion runs out of the picture there is no outline.
    pixels[lesion & ~binary_erosion(lesion, border_value=1)] = 255
    pixels[binary_dilation(lesion) & ~lesion] = 0
    return Image.fromarray(pixels)
