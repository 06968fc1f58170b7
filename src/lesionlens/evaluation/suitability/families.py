"""The kinds of pictures that a model should not judge, and where each comes from."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, Literal, NamedTuple

import numpy as np
from PIL import Image

from lesionlens.datasets import ImageSource, Sample
from lesionlens.datasets.masks import MaskSource
from lesionlens.errors import DataError, ImageError
from lesionlens.evaluation.suitability.altered import BLURS, CASTS, blurred, in_coloured_light, without_lesion
from lesionlens.evaluation.suitability.made import FAMILIES
from lesionlens.evaluation.suitability.packaged import Kind, crops, packaged
from lesionlens.imaging import decode
from lesionlens.taxonomy import NUM_CLASSES

__all__ = ["ALTERED_TARGET", "NOT_SKIN_TARGET", "Family", "Shown", "families"]

NOT_SKIN_TARGET: Final = 0.98
ALTERED_TARGET: Final = 0.90
_STRONGEST: Final = max(BLURS)

_PACKAGED: Final[tuple[tuple[Kind, str, str, float | None], ...]] = (
    ("photo", "photos", "Photos of animals, things, people, places", NOT_SKIN_TARGET),
    ("unseen", "photos_unseen", "Photos first looked at when all was fixed", NOT_SKIN_TARGET),
    ("graphic", "graphics", "Drawings, logos, photographed print", NOT_SKIN_TARGET),
    ("medical", "medical", "Medical pictures that are not of skin", None),
)
_MADE: Final = {
    "texture": "Textures",
    "document": "Documents and charts",
    "noise": "Noise",
    "gradient": "Gradients",
    "flat": "Flat colours",
}
_LIGHTS: Final = {
    "tungsten": "Colour cast: light bulb",
    "shade": "Colour cast: open shade",
    "green": "Colour cast: green",
    "violet": "Colour cast: violet",
}


class Shown(NamedTuple):
    """A picture that should not be judged.

    Attributes:
        group: Scene or lesion that it shows.
        image: Upright RGB; None where it could not be made.
    """

    group: str
    image: Image.Image | None


class Family(NamedTuple):
    """Pictures of one kind.

    Attributes:
        key: Its name in `metrics.json`.
        title: Its name for a reader.
        kind: What sort of pictures they are; see `FamilyResult`.
        target: Least AUROC asked for; None where none was.
        pictures: Makes them one after the other; the same each time.
    """

    key: str
    title: str
    kind: Literal["not_skin", "altered"]
    target: float | None
    pictures: Callable[[], Iterator[Shown]]


def families(
    samples: Sequence[Sample],
    source: ImageSource,
    masks: MaskSource | None,
    *,
    made: int,
    cropped: int,
    altered: int,
    seed: int,
) -> list[Family]:
    """Return all families.

    Args:
        samples: Dermoscopic pictures to spoil.
        source: Where their bytes are.
        masks: Their lesion masks; without any, no lesion is taken out.
        made: Number of pictures of each drawn family, at least 1.
        cropped: Number of pictures from each packaged one (the whole and crops), at least 1.
        altered: Number of dermoscopic pictures to spoil in each way, drawn at random, at least 1.
        seed: Of every draw.
    """
    found = [
        Family(key, title, "not_skin", target, partial(_packaged, kind, cropped, seed))
        for kind, key, title, target in _PACKAGED
    ]
    found += [
        Family(key, title, "not_skin", NOT_SKIN_TARGET, partial(_made, key, made, seed)) for key, title in _MADE.items()
    ]
    drawn = _draw(samples, altered, seed)
    for severity in BLURS:
        target = ALTERED_TARGET if severity == _STRONGEST else None
        title = f"Blur, severity {severity} of 5"
        spoil = partial(blurred, severity=severity)
        found.append(Family(f"blur_{severity}", title, "altered", target, partial(_spoilt, drawn, source, spoil)))
    for cast in CASTS:
        light = partial(in_coloured_light, cast=cast)
        pictures = partial(_spoilt, drawn, source, light)
        found.append(Family(f"cast_{cast}", _LIGHTS[cast], "altered", ALTERED_TARGET, pictures))
    outlined = _draw([s for s in samples if masks is not None and s.image in masks], altered, seed)
    if masks is not None and outlined:
        erased = partial(_erased, outlined, source, masks, seed)
        found.append(Family("no_lesion", "Lesion replaced by skin", "altered", ALTERED_TARGET, erased))
    return found


def _draw(samples: Sequence[Sample], count: int, seed: int) -> list[Sample]:
    if len(samples) <= count:
        return list(samples)
    return [samples[i] for i in sorted(np.random.default_rng(seed).choice(len(samples), count, replace=False))]


def _packaged(kind: Kind, count: int, seed: int) -> Iterator[Shown]:
    for picture in packaged(kind):
        # A stream for each picture: which other packages are installed must not change its crops.
        rng = np.random.default_rng([seed, zlib.crc32(picture.name.encode())])
        yield from (Shown(crop.name, crop.image) for crop in crops(picture, count, rng))


def _made(family: str, count: int, seed: int) -> Iterator[Shown]:
    for i in range(count):
        yield Shown(f"{family}-{i}", FAMILIES[family](np.random.default_rng([seed, i])))


def _spoilt(
    samples: Sequence[Sample], source: ImageSource, spoil: Callable[[Image.Image], Image.Image]
) -> Iterator[Shown]:
    for sample in samples:
        yield Shown(sample.group, spoil(_open(sample, source)))


def _erased(samples: Sequence[Sample], source: ImageSource, masks: MaskSource, seed: int) -> Iterator[Shown]:
    for i, sample in enumerate(samples):
        rng = np.random.default_rng([seed, i, NUM_CLASSES])
        yield Shown(sample.group, without_lesion(_open(sample, source), masks.read(sample.image), rng))


def _open(sample: Sample, source: ImageSource) -> Image.Image:
    try:
        return decode(source.read(sample.image)).image
    except ImageError as error:
        raise DataError(f"picture {sample.image} cannot be used: {error}") from error
