"""From heatmaps and masks to a row of numbers per picture, and from the rows to results by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.attention.baselines import centre_gaussian, uniform_map
from lesionlens.evaluation.attention.estimates import Means
from lesionlens.evaluation.attention.localisation import displacement, energy_on, grow, points_at
from lesionlens.evaluation.attention.records import LocalisationResult, MapScore
from lesionlens.taxonomy import BY_CODE, CODES

__all__ = ["TOLERANCE", "Located", "Locator", "results_by_part"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

TOLERANCE: Final = 15.0 / 224.0
"""Tolerance of the pointing game as a share of the side: the 15 px of Zhang et al. 2018, taken at a side of 224 px."""

_MEASURES: Final = ("energy", "pointing", "pointing_tolerant")
_MAPS: Final = ("heatmap", "uniform", "centre")


@dataclass(frozen=True, slots=True)
class Located:
    """Where the heat of one picture lies.

    Attributes:
        image: The picture's identifier.
        group: Its lesion.
        label: What it is, 0–7.
        answer: The most probable class, 0–7, whose heat was measured.
        confidence: Its probability, 0–1.
        has_heat: Whether the map is above 0 anywhere.
        scores: `<measure>:<map>` → 0–1, and `displacement:right`, `displacement:down` (0 for a map without heat).
    """

    image: str
    group: str
    label: int
    answer: int
    confidence: float
    has_heat: bool
    scores: dict[str, float]

    @property
    def correct(self) -> bool:
        """Whether the answer is right."""
        return self.label == self.answer


class Locator:
    """Measures heatmaps of one size against masks, beside the same baselines.

    Args:
        side: Side of the network's input in pixels.
    """

    def __init__(self, side: int) -> None:
        self.tolerance = TOLERANCE * side
        self._baselines = {"uniform": uniform_map(side), "centre": centre_gaussian(side)}

    def scores(self, heat: Floats, lesion: Bools) -> dict[str, float]:
        """Measure one picture.

        Args:
            heat: float32 `[side, side]`, 0 or more.
            lesion: bool `[side, side]`, true somewhere.

        Returns:
            The scores of `Located`.
        """
        grown = grow(lesion, self.tolerance)
        found = {}
        for name, heat_map in {"heatmap": heat, **self._baselines}.items():
            found[f"energy:{name}"] = energy_on(heat_map, lesion)
            found[f"pointing:{name}"] = points_at(heat_map, lesion)
            found[f"pointing_tolerant:{name}"] = points_at(heat_map, grown)
        right, down = displacement(heat, lesion) or (0.0, 0.0)
        return found | {"displacement:right": right, "displacement:down": down}


def results_by_part(rows: Sequence[Located], resamples: int, seed: int) -> tuple[LocalisationResult, ...]:
    """Average over the parts that hold a picture: all, right and wrong answers, by diagnosis.

    Args:
        rows: At least one picture.
        resamples: Number of bootstrap resamples of lesions; 0 for no intervals.
        seed: Of the resampling.
    """
    return tuple(_result(key, title, chosen, resamples, seed) for key, title, chosen in _parts(rows))


def _parts(rows: Sequence[Located]) -> Iterator[tuple[str, str, list[Located]]]:
    parts = [
        ("all", "All pictures", list(rows)),
        ("correct", "Right answers", [r for r in rows if r.correct]),
        ("wrong", "Wrong answers", [r for r in rows if not r.correct]),
    ]
    parts += [(f"diagnosis:{c}", c, [r for r in rows if r.label == BY_CODE[c].index]) for c in CODES]
    yield from (part for part in parts if part[2])


def _result(key: str, title: str, rows: Sequence[Located], resamples: int, seed: int) -> LocalisationResult:
    columns = {name: np.array([r.scores[name] for r in rows]) for name in rows[0].scores}
    columns["has_heat"] = np.array([float(r.has_heat) for r in rows])
    groups = [r.group for r in rows]
    means = Means(columns, groups, resamples, seed)
    energy, pointing, tolerant = (_map_score(means, measure) for measure in _MEASURES)
    return LocalisationResult(
        key=key,
        title=title,
        n=len(rows),
        groups=len(set(groups)),
        energy=energy,
        pointing=pointing,
        pointing_tolerant=tolerant,
        displacement_right=means.quotient("displacement:right", "has_heat"),
        displacement_down=means.quotient("displacement:down", "has_heat"),
    )


def _map_score(means: Means, measure: str) -> MapScore:
    heatmap, uniform, centre = (f"{measure}:{name}" for name in _MAPS)
    return MapScore(
        heatmap=means.mean(heatmap),
        uniform=means.mean(uniform),
        centre=means.mean(centre),
        over_uniform=means.quotient(heatmap, uniform),
        over_centre=means.quotient(heatmap, centre),
    )
