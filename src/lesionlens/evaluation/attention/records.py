"""What `metrics.json` says of the heatmaps."""

from __future__ import annotations

from typing import Literal

from lesionlens.evaluation.figures import Estimate, Record

__all__ = ["Attention", "LocalisationResult", "MapScore", "Ordering", "OrderingName", "Perturbation"]

OrderingName = Literal["heatmap", "random", "centre"]


class MapScore(Record):
    """One measure of the heatmaps, and of two maps that know nothing of the picture.

    Attributes:
        heatmap: The mean over the pictures, 0–1.
        uniform: The same of equal heat everywhere.
        centre: The same of a Gaussian in the middle.
        over_uniform: `heatmap / uniform`; 1 means no better.
        over_centre: `heatmap / centre`.
    """

    heatmap: Estimate
    uniform: Estimate
    centre: Estimate
    over_uniform: Estimate
    over_centre: Estimate


class LocalisationResult(Record):
    """Where the heat of the most probable class lies, on one part of the pictures.

    Attributes:
        key: `all`, `correct`, `wrong` or `diagnosis:<code of what it is>`.
        title: In words.
        n: Number of pictures.
        groups: Number of lesions.
        energy: Share of the heat that lies on the lesion (Wang et al. 2020). Of a uniform map it is the lesion's share
            of the area.
        pointing: Share of the pictures whose hottest point lies on the lesion (Zhang et al. 2018), without tolerance.
        pointing_tolerant: The same with `Attention.tolerance`.
        displacement_right: How far the heat's centre of mass lies right of the lesion's, as a share of the side.
        displacement_down: How far it lies below it.
    """

    key: str
    title: str
    n: int
    groups: int
    energy: MapScore
    pointing: MapScore
    pointing_tolerant: MapScore
    displacement_right: Estimate
    displacement_down: Estimate


class Ordering(Record):
    """What happens when pixels come and go in the order of a map.

    Attributes:
        name: `heatmap`, `random` (noise on the heatmap's grid) or `centre` (a Gaussian in the middle).
        insertion: Mean area under the insertion curve, 0–1; more is better.
        deletion: Mean area under the deletion curve, 0–1; less is better.
        insertion_gain: Mean of the heatmap's insertion area less this one's on the same picture; None for the heatmap.
        deletion_gain: Mean of this one's deletion area less the heatmap's on the same picture; None for the heatmap.
        insertion_curve: Mean probability at equal steps from no pixel to all of them.
        deletion_curve: Mean probability at equal steps from no pixel gone to all gone.
    """

    name: OrderingName
    insertion: Estimate
    deletion: Estimate
    insertion_gain: Estimate | None = None
    deletion_gain: Estimate | None = None
    insertion_curve: tuple[float, ...]
    deletion_curve: tuple[float, ...]


class Perturbation(Record):
    """Insertion and deletion (Petsiuk et al. 2018) of the probability of the most probable class.

    Attributes:
        n: Number of pictures, drawn evenly over the diagnoses.
        groups: Number of lesions.
        steps: Number of steps of each curve.
        blur_sigma: Standard deviation in pixels of the Gaussian blur that insertion starts from. Deletion ends in the
            picture's mean colour.
        orderings: The heatmap's, then the baselines'.
    """

    n: int
    groups: int
    steps: int
    blur_sigma: float
    orderings: tuple[Ordering, ...]


class Attention(Record):
    """Whether the heatmaps of the most probable class lie on the lesions, and whether the answers depend on them.

    Attributes:
        n: Number of pictures with a usable lesion mask.
        groups: Number of lesions.
        without_mask: Number of evaluated pictures that have no mask, and were left out.
        empty_masks: Number of pictures left out because no part of the lesion was seen by the network.
        no_heat: Number of pictures among `n` whose map is all zero; they count as misses.
        side: Side in pixels of the network's input, on which all is measured.
        grid: Rows and columns of a class map.
        tolerance: Pixels that a hottest point may lie beside the lesion in `pointing_tolerant`.
        centre_sigma: Standard deviation in pixels of the centre Gaussian.
        bootstrap_resamples: Number of resamples of lesions behind the intervals; 0 for none.
        seed: Seed of resampling, draws and baselines.
        parts: Results by part; `all` comes first.
        perturbation: Insertion and deletion; None if they were not measured.
    """

    n: int
    groups: int
    without_mask: int
    empty_masks: int
    no_heat: int
    side: int
    grid: tuple[int, int]
    tolerance: float
    centre_sigma: float
    bootstrap_resamples: int
    seed: int
    parts: tuple[LocalisationResult, ...]
    perturbation: Perturbation | None = None

    def part(self, key: str) -> LocalisationResult | None:
        """Return the results of a part, or None if no picture was in it."""
        return next((p for p in self.parts if p.key == key), None)
