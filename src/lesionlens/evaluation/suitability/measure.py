"""`lesionlens evaluate --suitability`: what the bundle's rule finds, and what it takes amiss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from lesionlens.classifier import Analysis, Classifier
from lesionlens.datasets import ImageSource, Sample
from lesionlens.datasets.masks import MaskSource
from lesionlens.errors import DataError
from lesionlens.evaluation.run import look
from lesionlens.evaluation.suitability.families import Family, families
from lesionlens.evaluation.suitability.packaged import package_versions
from lesionlens.evaluation.suitability.records import AlarmResult, FamilyResult, SuitabilityReport
from lesionlens.evaluation.suitability.separation import MAX_RESAMPLES, Drawn, area, separation, share_above
from lesionlens.suitability import PARTS, Reference
from lesionlens.taxonomy import DIAGNOSES

__all__ = ["FALSE_ALARM_TARGET", "PICTURES", "examine"]

FALSE_ALARM_TARGET: Final = 0.05
PICTURES: Final = 500
_MADE: Final = 0.4  # of that number; drawn pictures are more alike than photos
_CROPPED: Final = 0.04

Watch = Callable[[str, int], Callable[[int], object]]


class _Judged(NamedTuple):
    """Pictures and what the rule says of them.

    Attributes:
        groups: Scene or lesion of each.
        parts: float64 `[N, 5]`, score of each detector.
        reasons: Codes of the strongest reasons of those that are not suitable.
        hints: Codes of all hints on quality.
    """

    groups: list[str]
    parts: npt.NDArray[np.float64]
    reasons: Counter[str]
    hints: Counter[str]


def _unwatched(_title: str, _total: int) -> Callable[[int], object]:
    return lambda _: None


def examine(
    classifier: Classifier,
    samples: Sequence[Sample],
    source: ImageSource,
    masks: MaskSource | None,
    *,
    pictures: int = PICTURES,
    batch_size: int = 16,
    resamples: int = 1000,
    seed: int = 0,
    watch: Watch = _unwatched,
) -> SuitabilityReport:
    """Measure how well a bundle's rule tells pictures that it should not judge from dermoscopic ones.

    Args:
        classifier: The model; its bundle needs reference statistics.
        samples: Dermoscopic pictures, at least one; they count as suitable, and some are spoilt for comparison.
        source: Where their bytes are.
        masks: Their lesion masks; None leaves out the comparison with pictures without the lesion.
        pictures: Number of dermoscopic pictures to spoil in each way, at least 1; two fifths of it are drawn of each
            drawn family, and a twenty-fifth of it are cropped from each packaged picture.
        batch_size: Pictures per forward pass.
        resamples: Number of bootstrap resamples; 0 for no intervals, 2,000 at most are taken.
        seed: Of every draw.
        watch: Called with the name and the number of pictures of each stage; what it returns is called with the number
            of pictures done.

    Raises:
        DataError: The bundle has no reference statistics, or a picture cannot be used.
        EngineError: The engine failed.
    """
    rule, reference = classifier.manifest.out_of_distribution, classifier.reference
    if rule is None or reference is None:
        raise DataError(
            f"the bundle {classifier.manifest.name} has no reference statistics, so it judges every picture: "
            "run `lesionlens calibrate` on it first"
        )
    resamples = min(resamples, MAX_RESAMPLES)
    looked = (f.analysis for f in look(classifier, samples, source, batch_size=batch_size))
    found = zip((s.group for s in samples), looked, strict=True)
    known = _judge(reference, found, watch("Looking for false alarms", len(samples)))
    comparison = _Comparison(classifier, reference, known, batch_size, resamples, seed)
    compared = families(
        samples,
        source,
        masks,
        made=max(1, round(_MADE * pictures)),
        cropped=max(1, round(_CROPPED * pictures)),
        altered=pictures,
        seed=seed,
    )
    done = watch("Comparing with other pictures", len(compared))
    results = []
    for family in compared:
        if result := comparison.result(family):
            results.append(result)
        done(1)
    return SuitabilityReport(
        method=rule.method,
        threshold=rule.threshold,
        set_for=rule.false_alarms,
        measured_on=rule.measured_on,
        asked_false_alarms=FALSE_ALARM_TARGET,
        alarms=tuple(_alarms(samples, comparison.negative, rule.threshold)),
        families=tuple(results),
        hints={code: count / len(samples) for code, count in known.hints.most_common()},
        packages=package_versions(),
        bootstrap_resamples=resamples,
    )


def _judge(
    reference: Reference, analyses: Iterable[tuple[str, Analysis]], done: Callable[[int], object] = lambda _: None
) -> _Judged:
    groups: list[str] = []
    parts: list[npt.NDArray[np.float64]] = []
    reasons, hints = Counter[str](), Counter[str]()
    for group, analysis in analyses:
        groups.append(group)
        parts.append(reference.scores(analysis.features[None], [analysis.appearance])[0])
        hints.update(hint.code for hint in analysis.quality.hints)
        if analysis.suitability is not None and analysis.suitability.reasons:
            reasons[analysis.suitability.reasons[0].code] += 1
        done(1)
    return _Judged(groups, np.array(parts).reshape(-1, len(PARTS)), reasons, hints)


class _Comparison:
    """The dermoscopic pictures, to compare families with."""

    def __init__(
        self, classifier: Classifier, reference: Reference, known: _Judged, batch_size: int, resamples: int, seed: int
    ) -> None:
        self._classifier, self._reference, self._known = classifier, reference, known
        self._batch_size, self._resamples, self._seed = batch_size, resamples, seed
        self.negative = Drawn(known.parts.max(axis=1), known.groups, resamples, seed)

    def result(self, family: Family) -> FamilyResult | None:
        """Judge a family; None if it has no pictures here."""
        left_out = 0

        def usable() -> Iterator[tuple[str, Image.Image]]:
            nonlocal left_out
            for group, image in family.pictures():
                if image is None:
                    left_out += 1
                else:
                    yield group, image

        judged = _judge(self._reference, _analysed(self._classifier, usable(), self._batch_size))
        if not judged.groups:
            return None
        positive = Drawn(judged.parts.max(axis=1), judged.groups, self._resamples, self._seed)
        return FamilyResult(
            key=family.key,
            title=family.title,
            kind=family.kind,
            target=family.target,
            n=len(judged.groups),
            groups=len(set(judged.groups)),
            left_out=left_out,
            auroc=separation(self.negative, positive),
            detected=share_above(positive, self._reference.threshold),
            by_part={part: area(self._known.parts[:, i], judged.parts[:, i]) for i, part in enumerate(PARTS)},
            reasons=dict(judged.reasons.most_common()),
        )


def _analysed(
    classifier: Classifier, pictures: Iterable[tuple[str, Image.Image]], batch_size: int
) -> Iterator[tuple[str, Analysis]]:
    waiting = iter(pictures)
    while batch := list(islice(waiting, batch_size)):
        groups, images = zip(*batch, strict=True)
        yield from zip(groups, classifier.analyse(images), strict=True)


def _alarms(samples: Sequence[Sample], drawn: Drawn, threshold: float) -> Iterator[AlarmResult]:
    parts = [("all", "All pictures", np.ones(len(samples), dtype=np.bool_))]
    sources = np.array([s.source for s in samples])
    parts += [(f"source:{name}", name, sources == name) for name in sorted(set(sources.tolist()) - {""})]
    labels = np.array([s.label for s in samples])
    parts += [(f"diagnosis:{d.code}", d.code, labels == i) for i, d in enumerate(DIAGNOSES) if (labels == i).any()]
    groups = np.array([s.group for s in samples])
    for key, title, mask in parts:
        share = share_above(drawn, threshold, mask)
        yield AlarmResult(key=key, title=title, n=int(mask.sum()), groups=len(set(groups[mask].tolist())), share=share)
