"""Which detectors tell pictures that should not be judged from dermoscopic ones: the candidates, one against another.

Each candidate is fitted on training pictures and compared on fold 0 with every family of `lesionlens evaluate
--suitability`; the area under the ROC curve is printed. The last columns are what was chosen: the detectors of
`lesionlens.suitability`, and the highest of their tail scores.

    python benchmarks/suitability_detectors.py --data DATA --pictures 200
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from lesionlens import Classifier
from lesionlens.calibration.reference import fit_reference, spread
from lesionlens.datasets import ImageSource, Sample, read_samples
from lesionlens.datasets.masks import MaskSource
from lesionlens.evaluation.run import look
from lesionlens.evaluation.suitability.families import families
from lesionlens.evaluation.suitability.separation import area
from lesionlens.imaging.appearance import Appearance
from lesionlens.suitability import PARTS, Reference

Doubles = npt.NDArray[np.float64]
BATCH = 16


class Seen(NamedTuple):
    """What the network and the measurements say of some pictures."""

    features: Doubles
    logits: Doubles
    statistics: Doubles
    looks: list[Appearance]
    labels: npt.NDArray[np.int64]


def see(classifier: Classifier, pictures: Iterable[tuple[Image.Image, int]]) -> Seen:
    """Run the network over pictures."""
    waiting, found, labels = iter(pictures), [], []
    while batch := list(islice(waiting, BATCH)):
        found += classifier.analyse([image for image, _ in batch])
        labels += [label for _, label in batch]
    looks = [a.appearance for a in found]
    return Seen(
        np.array([a.features for a in found], dtype=np.float64),
        np.array([a.logits for a in found], dtype=np.float64),
        np.array([look.statistics for look in looks], dtype=np.float64),
        looks,
        np.array(labels),
    )


Score = Callable[[Seen], Doubles]


def mahalanobis(values: Doubles, of: Callable[[Seen], Doubles]) -> Score:
    """Distance to the mean under a shrunk covariance (Ledoit & Wolf 2004)."""
    model = LedoitWolf().fit(values)
    return lambda seen: np.asarray(model.mahalanobis(of(seen)))


def class_conditional(values: Doubles, labels: npt.NDArray[np.int64], of: Callable[[Seen], Doubles]) -> Score:
    """Distance to the nearest class mean under one covariance (Lee et al. 2018)."""
    means = {k: values[labels == k].mean(axis=0) for k in np.unique(labels)}
    within = values - np.array([means[k] for k in labels])
    model = LedoitWolf(assume_centered=True).fit(within)
    return lambda seen: np.asarray(np.min([model.mahalanobis(of(seen) - mean) for mean in means.values()], axis=0))


def nearest(values: Doubles, of: Callable[[Seen], Doubles]) -> Score:
    """Distance to the fifth nearest training picture (Sun et al. 2022)."""
    model = NearestNeighbors(n_neighbors=5).fit(values)
    return lambda seen: np.asarray(model.kneighbors(of(seen))[0][:, -1])


def candidates(known: Seen) -> dict[str, Score]:
    """Fit every candidate on training pictures."""
    axes = PCA(min(128, len(known.features) // 4), random_state=0).fit(known.features)
    centre, scale = known.statistics.mean(axis=0), known.statistics.std(axis=0)

    def reduced(seen: Seen) -> Doubles:
        return np.asarray(axes.transform(seen.features))

    def direction(seen: Seen) -> Doubles:
        return np.asarray(seen.features / np.linalg.norm(seen.features, axis=1, keepdims=True))

    def standardised(seen: Seen) -> Doubles:
        return np.asarray((seen.statistics - centre) / scale)

    plain, tied = mahalanobis(reduced(known), reduced), class_conditional(reduced(known), known.labels, reduced)
    return {
        "energy": lambda seen: -np.log(np.exp(seen.logits).sum(axis=1)),
        "features: Mahalanobis": plain,
        "features: class-conditional": tied,
        "features: relative": lambda seen: tied(seen) - plain(seen),
        "features: kNN": nearest(reduced(known), reduced),
        "features: cosine kNN": nearest(direction(known), direction),
        "appearance: Mahalanobis": mahalanobis(standardised(known), standardised),
    }


def chosen(reference: Reference) -> dict[str, Score]:
    """Return the detectors that are shipped, and their highest tail score."""

    def tails(seen: Seen) -> Doubles:
        return reference.scores(seen.features.astype(np.float32), seen.looks)

    def part(i: int) -> Score:
        return lambda seen: tails(seen)[:, i]

    shipped = {f"shipped: {name}": part(i) for i, name in enumerate(PARTS)}
    return {
        **shipped,
        "sum of tails": lambda seen: np.maximum(tails(seen), 0.0).sum(axis=1),
        "shipped: highest": lambda seen: tails(seen).max(axis=1),
    }


def main() -> None:
    """Fit, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="lite2")
    parser.add_argument("--training", type=int, default=2000, help="training pictures")
    parser.add_argument("--held-out", type=int, default=800, help="pictures of a fold that set the limits")
    parser.add_argument("--pictures", type=int, default=200, help="fold-0 pictures, and pictures to spoil in each way")
    options = parser.parse_args()
    classifier = Classifier(options.model)
    samples, source = read_samples(options.data), ImageSource(options.data)

    def of_folds(folds: set[int], count: int) -> list[Sample]:
        return spread([s for s in samples if s.fold in folds], count)

    def real(chosen_samples: list[Sample]) -> Seen:
        looked = look(classifier, chosen_samples, source, batch_size=BATCH)
        return see(classifier, ((finding.photo, finding.sample.label) for finding in looked))

    training, held_out = of_folds({1, 2, 3}, options.training), of_folds({4}, options.held_out)
    fitted = fit_reference(classifier, training, held_out, source, limit=options.training)
    scores = {**candidates(real(training)), **chosen(Reference.from_bytes(fitted.data, fitted.rule))}
    usual_samples = of_folds({0}, options.pictures)
    usual = real(usual_samples)
    print(
        f"{len(training)} training and {len(held_out)} held-out pictures; AUROC against {len(usual.looks)} of fold 0\n"
    )
    print("| pictures | n | " + " | ".join(scores) + " |")
    print("|---|---:|" + "---:|" * len(scores))
    kinds = families(
        usual_samples, source, MaskSource(options.data), made=40, cropped=8, altered=options.pictures, seed=0
    )
    for family in kinds:
        odd = see(classifier, ((shown.image, 0) for shown in family.pictures() if shown.image is not None))
        if odd.looks:
            figures = [f"{area(score(usual), score(odd)):.3f}" for score in scores.values()]
            print(f"| {family.title} | {len(odd.looks)} | " + " | ".join(figures) + " |", flush=True)


if __name__ == "__main__":
    main()
