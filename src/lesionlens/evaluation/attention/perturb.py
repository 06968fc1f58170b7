"""Insertion and deletion over a sample of pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from lesionlens.classifier import Classifier
from lesionlens.datasets import ImageSource, Sample
from lesionlens.evaluation.attention.baselines import centre_gaussian, random_map
from lesionlens.evaluation.attention.estimates import Means
from lesionlens.evaluation.attention.geometry import enlarge
from lesionlens.evaluation.attention.perturbation import BLUR_SIGMA, Curves, area_under, curves_of
from lesionlens.evaluation.attention.records import Ordering, OrderingName, Perturbation
from lesionlens.evaluation.run import look
from lesionlens.imaging.preprocess import preprocess

__all__ = ["perturb", "summarise"]

_HEATMAP: Final[OrderingName] = "heatmap"
_BASELINES: Final[tuple[OrderingName, ...]] = ("random", "centre")


def perturb(
    classifier: Classifier,
    samples: Sequence[Sample],
    source: ImageSource,
    *,
    batch_size: int = 16,
    resamples: int,
    seed: int,
    progress: Callable[[int], object] = lambda _: None,
) -> Perturbation:
    """Measure how the probability of the most probable class follows the heat.

    The class is the one most probable on the whole picture and stays the same while pixels come and go.

    Args:
        classifier: The model.
        samples: The pictures, at least one.
        source: Where their bytes are.
        batch_size: Pictures per forward pass.
        resamples: Number of bootstrap resamples of lesions; 0 for no intervals.
        seed: Of the random orders and of the resampling.
        progress: Called with 1 after each picture.

    Raises:
        DataError: A picture cannot be read.
        EngineError: The engine failed.
    """
    spec = classifier.manifest.preprocessing
    centre = centre_gaussian(spec.size)
    curves = []
    for i, finding in enumerate(look(classifier, samples, source, batch_size=batch_size)):
        top = finding.analysis.top

        def probability(batch: npt.NDArray[np.float32], top: int = top) -> npt.NDArray[np.float32]:
            return np.asarray(classifier.probabilities(batch)[:, top])

        rng = np.random.default_rng((seed, i))
        class_map = finding.analysis.maps[top]
        heats: dict[str, npt.NDArray[np.float32]] = {
            _HEATMAP: enlarge(class_map, spec.size),
            "random": random_map((class_map.shape[0], class_map.shape[1]), spec.size, rng),
            "centre": centre,
        }
        tensor = preprocess(finding.photo, spec)
        curves.append(curves_of(tensor, heats, probability, rng, batch_size=batch_size))
        progress(1)
    return summarise(curves, [s.group for s in samples], BLUR_SIGMA * spec.size, resamples, seed)


def summarise(
    curves: Sequence[dict[str, Curves]], groups: Sequence[str], blur_sigma: float, resamples: int, seed: int
) -> Perturbation:
    """Average the curves of many pictures.

    Args:
        curves: Of each picture, by ordering: `heatmap`, `random` and `centre`.
        groups: Lesion of each picture.
        blur_sigma: Of the insertion's blur, in pixels.
        resamples: Number of bootstrap resamples of lesions; 0 for no intervals.
        seed: Of the resampling.
    """
    names: tuple[OrderingName, ...] = (_HEATMAP, *_BASELINES)
    columns = {
        f"{kind}:{name}": np.array([area_under(getattr(of[name], kind)) for of in curves])
        for name in names
        for kind in Curves._fields
    }
    means = Means(columns, groups, resamples, seed)

    def ordering(name: OrderingName) -> Ordering:
        baseline = name != _HEATMAP
        return Ordering(
            name=name,
            insertion=means.mean(f"insertion:{name}"),
            deletion=means.mean(f"deletion:{name}"),
            insertion_gain=means.difference(f"insertion:{_HEATMAP}", f"insertion:{name}") if baseline else None,
            deletion_gain=means.difference(f"deletion:{name}", f"deletion:{_HEATMAP}") if baseline else None,
            insertion_curve=_mean_curve([of[name].insertion for of in curves]),
            deletion_curve=_mean_curve([of[name].deletion for of in curves]),
        )

    return Perturbation(
        n=len(curves),
        groups=len(set(groups)),
        steps=len(curves[0][_HEATMAP].insertion) - 1,
        blur_sigma=blur_sigma,
        orderings=tuple(ordering(name) for name in names),
    )


def _mean_curve(curves: Sequence[npt.NDArray[np.float64]]) -> tuple[float, ...]:
    return tuple(np.mean(curves, axis=0).tolist())
