"""How far the photos of late lie, as a whole, from the pictures that the network was trained on.

A single odd photo is a matter for `lesionlens.suitability`. Here no photo need be odd: a new camera, another light or
another clinic shifts what all of them look like, and the question is whether their mean still lies where it should.

The statistic is Dempster's (1958, "A high dimensional two sample significance test", Ann. Math. Statist. 29(4)
995–1010) for one sample. Let m be the mean of n photos in D dimensions, μ that of the reference pictures and Σ the
covariance of single pictures. If the photos come from where the reference pictures do,

    E ‖m − μ‖² = trace(Σ) / n,        so        ratio = √( n ‖m − μ‖² / trace(Σ) )

is about 1, however many dimensions there are and however they hang together; no covariance has to be inverted, which
a thousand features and a few hundred photos would not allow. √(ratio² / n) is the distance in standard deviations of a
single photo. The mean is exponentially weighted, so that nothing of a photo is kept but its share in a mean, and n is
the weights' effective number, (Σw)² / Σw² (Kish 1965).

Photos that arrive in groups (four of one lesion, say) tell less than n independent ones, and a clinic's mixture of
diagnoses is not that of a public collection: both raise the ratio without any fault. So the limits for alarms are well
above 1, and docs/observability.md gives figures.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from lesionlens.imaging.appearance import STATISTICS, Appearance
from lesionlens.suitability import Reference

__all__ = ["HIGHEST", "LEAST", "DriftMonitor", "MovingMean"]

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]

LEAST: Final = 20
"""Effective number of photos below which no ratio is given."""

HIGHEST: Final = 1000.0
"""Largest ratio that is told: photos without any variance (the same one again and again) would make it infinite."""


class MovingMean:
    """Exponentially weighted mean and total variance of vectors, by West's (1979) update.

    Args:
        dimensions: Length D of the vectors, at least 1.
        photos: Effective number of vectors that the mean rests on in the long run, above 1: the newest has the weight
            2 / (photos + 1).

    Attributes:
        mean: float64 `[D]`; zeros before the first vector.
    """

    def __init__(self, dimensions: int, photos: int) -> None:
        self._keep = (photos - 1) / (photos + 1)
        self._weight = self._weight_of_squares = 0.0
        self._spread = 0.0
        self.mean: Doubles = np.zeros(dimensions)

    @property
    def effective(self) -> float:
        """Effective number of vectors behind the mean, (Σw)² / Σw²; 0 before the first."""
        return self._weight**2 / self._weight_of_squares if self._weight else 0.0

    @property
    def total_variance(self) -> float:
        """Trace of the vectors' covariance, without bias for vectors that do not depend on each other; 0 below two."""
        share = 1.0 - 1.0 / self.effective if self._weight else 0.0
        return self._spread / self._weight / share if share > 0.0 else 0.0

    def add(self, values: Floats) -> None:
        """Take one vector `[D]` into the mean; earlier ones lose weight."""
        offset = values - self.mean
        self._weight = self._keep * self._weight + 1.0
        self._weight_of_squares = self._keep**2 * self._weight_of_squares + 1.0
        self.mean += offset / self._weight
        self._spread = self._keep * self._spread + float(offset @ (values - self.mean))


class DriftMonitor:
    """Two ratios: how the photos look, and what the network makes of them.

    It belongs to one thread. What it holds are two means and a few sums, out of which no photo can be had.

    Args:
        reference: The bundle's statistics of the pictures that the network was trained on.
        photos: Effective number of photos of late that count, at least `LEAST`.
    """

    def __init__(self, reference: Reference, photos: int = 200) -> None:
        self._reference = reference
        self._looks = MovingMean(len(STATISTICS), photos)
        self._features = MovingMean(len(reference.feature_mean), photos)

    @property
    def photos(self) -> float:
        """Effective number of photos behind the ratios."""
        return self._looks.effective

    @property
    def appearance(self) -> float | None:
        """Ratio of the 28 statistics of `lesionlens.imaging.appearance`, each in the bundle's standard deviations.

        About 1 without drift; at most `HIGHEST`; None below `LEAST` photos. It is the root mean square of the 28
        standardised differences of means.
        """
        return self._ratio(float(self._looks.mean @ self._looks.mean), float(len(STATISTICS)))

    @property
    def features(self) -> float | None:
        """Ratio of the network's pooled features; None below `LEAST` photos.

        The bundle tells their mean but not their variance, which is taken from the photos themselves.
        """
        offset = self._features.mean - self._reference.feature_mean
        return self._ratio(float(offset @ offset), self._features.total_variance)

    @property
    def shifts(self) -> dict[str, float]:
        """How far the mean of each of the 28 statistics has moved, in the bundle's standard deviations, by name."""
        return dict(zip(STATISTICS, map(float, self._looks.mean), strict=True))

    def add(self, features: Floats, look: Appearance) -> None:
        """Take one photo into the means.

        Args:
            features: `[K]`, the network's pooled features.
            look: What was measured on the photo.
        """
        self._looks.add((look.statistics - self._reference.centre) / self._reference.scale)
        self._features.add(features.astype(np.float64))

    def _ratio(self, squared_distance: float, total_variance: float) -> float | None:
        if self.photos < LEAST:
            return None
        if squared_distance * self.photos >= HIGHEST**2 * total_variance:
            return HIGHEST
        return float(np.sqrt(self.photos * squared_distance / total_variance))
