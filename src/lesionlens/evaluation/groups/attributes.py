"""How the pictures are divided: by sex, age, sex and age, body site, source, and estimated skin tone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.groups.tone import CAST, TONES, tone_classes
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.traits import Traits

__all__ = ["UNKNOWN", "Attribute", "Group", "attributes"]

UNKNOWN: Final = "unknown"
"""Key of the pictures of which a trait is not known."""

Bools = npt.NDArray[np.bool_]
Strings = npt.NDArray[np.str_]

# Decades, but that there are too few malignant lesions in people under 30 and too few people over 80 to divide them.
_AGES: Final = (0, 30, 40, 50, 60, 70, 80)
_HALVES: Final = (0, 50)  # the median age in ISIC 2019: finer bands of each sex would be too small to judge

_TONE_NOTE: Final = (
    "Individual Typology Angle of the skin at the rim of the picture, classes of Chardon et al. 1991 and Del Bino & "
    "Bernerd 2013. It is the tone of the picture, not of the person: the lamp of the dermatoscope, exposure and white "
    "balance all move it. Pinkish pictures come out too light, dim ones too dark; where the skin looks bluish, no tone "
    "can be told."
)


class Group(NamedTuple):
    """The pictures that share a trait.

    Attributes:
        key: Name in `metrics.json`.
        title: Name for a reader.
        mask: bool `[N]`, which pictures are in it.
    """

    key: str
    title: str
    mask: Bools


class Attribute(NamedTuple):
    """A way to divide the pictures.

    Attributes:
        key: Name in `metrics.json`.
        title: Name for a reader.
        note: What a reader must know of it; may be empty.
        groups: The groups that hold a picture, in their natural order; none where the trait is not known of any.
    """

    key: str
    title: str
    note: str
    groups: tuple[Group, ...]


def attributes(predictions: Predictions) -> tuple[Attribute, ...]:
    """Divide the pictures in every way.

    Args:
        predictions: Pictures whose traits were looked up.

    Returns:
        The attributes in the order of the report.

    Raises:
        ValueError: The traits of the predictions were not looked up.
    """
    traits = predictions.traits
    if traits is None:
        raise ValueError("these predictions have no traits to divide them by")
    ages, halves = (_band(traits.age, starts) for starts in (_AGES, _HALVES))
    sexes = tuple(sorted(set(traits.sex.tolist()) - {""}))
    both = [(f"{sex}_{_key(half)}", f"{sex}, {half}") for sex in sexes for half in _titles(_HALVES)]
    return (
        Attribute("sex", "Sex", "", _groups(traits.sex, [(s, s) for s in sexes])),
        Attribute("age", "Age", "In years, as recorded.", _groups(ages, [(_key(t), t) for t in _titles(_AGES)])),
        Attribute(
            "sex_age",
            "Sex and age",
            "The intersection of the two, where both are known.",
            tuple(g for g in _groups(_joined(traits, halves), both) if g.key != UNKNOWN),
        ),
        Attribute("site", "Body site", "", _groups(traits.site, [(s, s) for s in _named(traits.site)])),
        Attribute(
            "source",
            "Source",
            "The collection: clinic, country, camera and resolution at once.",
            _groups(predictions.source, [(s, s) for s in _named(predictions.source)]),
        ),
        Attribute(
            "tone",
            "Estimated skin tone",
            _TONE_NOTE,
            _groups(
                tone_classes(traits.ita),
                [*((t.key, t.title) for t in TONES), (CAST, "bluish picture, no estimate")],
                "no skin found",
            ),
        ),
    )


def _groups(values: Strings, known: Sequence[tuple[str, str]], unknown: str = UNKNOWN) -> tuple[Group, ...]:
    found = [Group(key, title, values == key) for key, title in known]
    found = [group for group in found if group.mask.any()]
    rest = values == ""
    if found and rest.any():
        found.append(Group(UNKNOWN, unknown, rest))
    return tuple(found)


def _named(values: Strings) -> list[str]:
    return sorted(set(values.tolist()) - {""})


def _titles(starts: Sequence[int]) -> Iterator[str]:
    """Name the bands from each start to the next: `under 30`, `30–39`, `40 and over`."""
    yield f"under {starts[1]}"
    for start, following in zip(starts[1:], (*starts[2:], None), strict=True):
        yield f"{start} and over" if following is None else f"{start}–{following - 1}"


def _key(title: str) -> str:
    return title.replace(" ", "_").replace("–", "_")


def _band(age: npt.NDArray[np.int64], starts: Sequence[int]) -> Strings:
    keys = np.array([_key(title) for title in _titles(starts)])
    return np.where(age < 0, "", keys[np.searchsorted(starts, age, side="right") - 1])


def _joined(traits: Traits, halves: Strings) -> Strings:
    joined = np.array([f"{sex}_{half}" for sex, half in zip(traits.sex, halves, strict=True)], dtype=np.str_)
    return np.where((traits.sex == "") | (halves == ""), "", joined)
