"""All pictures that are not in a group: as they are, and as if they came from the sources that the group comes from.

Collections differ in clinic, camera, resolution and diagnoses, and so do the people in them. A group whose pictures
are mostly from the hardest collection looks badly served whoever is in it. The second comparison takes that away by
direct standardisation (Rothman, Greenland & Lash 2008, *Modern Epidemiology*, 3rd ed., chapter 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.groups.figures import Figures, MalignancyFigures
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.schema import FixedThreshold
from lesionlens.evaluation.weighted import ratio

__all__ = ["Others"]

Floats = npt.NDArray[np.float64]


class Others:
    """The figures of all pictures that are not in a group.

    Args:
        predictions: All pictures.
        mask: bool `[N]`, which are in the group.
        fixed: Thresholds on the malignant probability that were fixed beforehand.
    """

    def __init__(self, predictions: Predictions, mask: npt.NDArray[np.bool_], fixed: Sequence[FixedThreshold]) -> None:
        _, source = np.unique(predictions.source, return_inverse=True)
        stratum = source * 2 + predictions.malignant
        member = np.eye(int(stratum.max()) + 1)[stratum]
        self._inside, self._outside = np.flatnonzero(mask), np.flatnonzero(~mask)
        self._member_inside, self._member_outside = member[mask], member[~mask]
        self._stratum = stratum[~mask]
        self._figures = MalignancyFigures(predictions.subset(~mask), fixed)

    def of(self, weights: Floats) -> tuple[Figures, Figures]:
        """Compute the figures, as they are and standardised.

        Args:
            weights: float64 `[B, N]`, of all pictures.

        Returns:
            float64 `[B]` by name, twice: of the others as they are, and with weights that give their malignant and
            their benign pictures the group's shares of the sources; the latter is NaN where there is no other picture
            of a source, malignant or benign, that the group has some from.
        """
        others = weights[:, self._outside]
        asked, there = weights[:, self._inside] @ self._member_inside, others @ self._member_outside
        lacking = ((asked > 0) & (there == 0)).any(axis=1)
        factors = np.nan_to_num(ratio(asked, there))
        matched = self._figures.of(others * factors[:, self._stratum])
        return self._figures.of(others), {n: np.where(lacking, np.nan, values) for n, values in matched.items()}
