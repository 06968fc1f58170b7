"""Fitting what `lesionlens.suitability` compares pictures with.

The densities are those of pictures that the network was trained on; what counts as odd is set on pictures that it was
not trained on, since a network's features fit the former better than any new picture. No picture of anything else
has a part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from lesionlens.classifier import Classifier
from lesionlens.datasets import ImageSource, Sample
from lesionlens.errors import DataError
from lesionlens.evaluation.run import look
from lesionlens.imaging.appearance import BANDS, SURROUND, Appearance
from lesionlens.inference.bundle import sha256_of
from lesionlens.inference.records import ReferenceRule
from lesionlens.suitability import PARTS, Mixture, Reference

__all__ = ["FALSE_ALARMS", "LEAST_HELD_OUT", "LEAST_TRAINING", "FittedReference", "fit_reference", "spread"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

FALSE_ALARMS: Final = 0.035
"""Share of the held-out pictures above the threshold; a little under the 5 % that are wanted on new ones."""

LEAST_TRAINING: Final = 20
LEAST_HELD_OUT: Final = 5
_COMPONENTS: Final = 4
_AXES: Final = 128
_REGULARISATION: Final = 0.01  # of the variance of a standardised statistic, added to each component's
_BATCH: Final = 16


class FittedReference(NamedTuple):
    """Reference statistics for a bundle.

    Attributes:
        rule: For the manifest (`out_of_distribution`).
        data: The bundle's file that the rule names.
    """

    rule: ReferenceRule
    data: bytes


class _Seen(NamedTuple):
    features: Floats
    looks: list[Appearance]


def fit_reference(
    classifier: Classifier,
    training: Sequence[Sample],
    held_out: Sequence[Sample],
    source: ImageSource,
    *,
    seed: int = 0,
    limit: int = 4000,
    progress: Callable[[int], object] = lambda _: None,
) -> FittedReference:
    """Fit the detectors. Equal input gives an equal result.

    Args:
        classifier: The model; statistics that it has already play no part.
        training: Pictures that the network was trained on.
        held_out: Pictures that it was not trained on, of other lesions; they set the limits.
        source: Where the pictures' bytes are.
        seed: Of the draw among the training pictures, and of the mixtures' starts.
        limit: Number of training pictures to draw at most; as many of each source as there are, up to equal shares.
        progress: Called with the number of pictures of each finished batch.

    Raises:
        DataError: There are fewer than 20 training or 5 held-out pictures, or one is missing or cannot be read.
        EngineError: The engine failed.
    """
    if len(training) < LEAST_TRAINING or len(held_out) < LEAST_HELD_OUT:
        raise DataError(
            f"the reference statistics need at least {LEAST_TRAINING} training pictures and {LEAST_HELD_OUT} held-out "
            f"ones, not {len(training)} and {len(held_out)}"
        )
    known = _seen(classifier, spread(training, limit, seed), source, progress)
    new = _seen(classifier, held_out, source, progress)
    reference = _densities(known, seed)
    distances = reference.distances(new.features, new.looks)
    often, seldom = np.quantile(distances, (0.90, 0.99), axis=0)
    # Equal pictures would leave no room between the percentiles; a hair's breadth keeps the scores finite.
    seldom = np.maximum(seldom, often + 1e-3 * np.maximum(np.abs(often), 1e-3))
    reference = replace(reference, tails=np.stack([often, seldom], axis=1).astype(np.float32))
    scores = reference.scores(new.features, new.looks).max(axis=1)
    threshold = float(np.quantile(scores, 1.0 - FALSE_ALARMS, method="higher"))
    data = reference.to_bytes()
    digest = sha256_of(data)
    rule = ReferenceRule(
        file=f"reference-{digest[:12]}.npz",
        sha256=digest,
        threshold=threshold,
        false_alarms=float((scores > threshold).mean()),
        measured_on=f"{len(held_out)} pictures kept out of training",
    )
    return FittedReference(rule, data)


def spread(samples: Sequence[Sample], limit: int, seed: int = 0) -> list[Sample]:
    """Draw pictures so that every source has its share.

    A small collection's pictures would be odd among thousands of a large one's, though the network knows them as well.

    Args:
        samples: The pictures.
        limit: Number to draw at most.
        seed: Makes the draw repeatable.

    Returns:
        The drawn pictures in their order: equal numbers of each source where it has so many, the rest from the others.
    """
    rng = np.random.default_rng(seed)
    waiting: dict[str, list[int]] = {}
    for i in rng.permutation(len(samples)):
        waiting.setdefault(samples[i].source, []).append(int(i))
    drawn: list[int] = []
    # From the smallest source up: what one cannot give, those after it share.
    for left, rows in zip(range(len(waiting), 0, -1), sorted(waiting.values(), key=len), strict=True):
        drawn += rows[: (limit - len(drawn)) // left]
    return [samples[i] for i in sorted(drawn)]


def _seen(
    classifier: Classifier, samples: Sequence[Sample], source: ImageSource, progress: Callable[[int], object]
) -> _Seen:
    features: list[Floats] = []
    looks: list[Appearance] = []
    for start in range(0, len(samples), _BATCH):
        batch = samples[start : start + _BATCH]
        for finding in look(classifier, batch, source, batch_size=_BATCH):
            features.append(finding.analysis.features)
            looks.append(finding.analysis.appearance)
        progress(len(batch))
    return _Seen(np.array(features, dtype=np.float32), looks)


def _densities(known: _Seen, seed: int) -> Reference:
    """Fit everything but the limits; the large arrays are rounded as the file will hold them."""
    statistics = np.array([seen.statistics for seen in known.looks])
    centre, scale = statistics.mean(axis=0), np.maximum(statistics.std(axis=0), 1e-3)
    standardised = (statistics - centre) / scale
    axes = PCA(min(_AXES, len(statistics) // 4), random_state=seed).fit(known.features)
    return Reference(
        centre=centre,
        scale=scale,
        detail=_mixture(standardised[:, BANDS], seed),
        colour=_mixture(standardised[:, SURROUND], seed),
        neighbours=_half(standardised),
        feature_mean=axes.mean_.astype(np.float32),
        feature_axes=_half(axes.components_),
        tails=np.zeros((len(PARTS), 2), dtype=np.float32),
        threshold=np.inf,
    )


def _mixture(values: Floats, seed: int) -> Mixture:
    fitted = GaussianMixture(
        min(_COMPONENTS, len(values) // 5), reg_covar=_REGULARISATION, random_state=seed, n_init=3, max_iter=300
    ).fit(values.astype(np.float64))
    return Mixture(
        *(a.astype(np.float32) for a in (fitted.weights_, fitted.means_, fitted.precisions_cholesky_)),
    )


def _half(values: npt.NDArray[np.floating]) -> Floats:
    return values.astype(np.float16).astype(np.float32)
