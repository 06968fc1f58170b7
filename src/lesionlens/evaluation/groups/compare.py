"""Measuring every group, and comparing it with all other pictures.

Groups share lesions (a person ages between visits, one photo is darker than the next) and are compared with what is
left, so one draw of the lesions of all pictures serves every group and its rest: the interval of a difference is that
of the differences on the same draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.bootstrap import interval, resample_weights
from lesionlens.evaluation.figures import Estimate
from lesionlens.evaluation.groups.attributes import Attribute, Group, attributes
from lesionlens.evaluation.groups.figures import Figures, GroupFigures
from lesionlens.evaluation.groups.others import Others
from lesionlens.evaluation.groups.records import (
    AttributeResult,
    Comparison,
    GroupPoint,
    GroupReport,
    GroupResult,
    Judgement,
)
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.schema import FixedThreshold
from lesionlens.evaluation.slices import SHORT_SIDE
from lesionlens.taxonomy import BY_CODE, CODES, NUM_CLASSES

__all__ = ["COMPARED_POINT", "group_report"]

COMPARED_POINT: Final = "sensitivity_90"
"""Name of the bundle's operating point at which groups are compared."""
MARGIN: Final = 0.03
LEAST_PICTURES: Final = 30
LEAST_EACH: Final = 10  # malignant and benign
LEAST_PER_CLASS: Final = 5

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def group_report(
    predictions: Predictions, fixed: Sequence[FixedThreshold] = (), *, resamples: int = 1000, seed: int = 0
) -> GroupReport:
    """Measure the groups of every attribute and compare each with all other pictures.

    Args:
        predictions: Pictures whose traits were looked up.
        fixed: Thresholds on the malignant probability that were fixed beforehand. Sensitivity and specificity are
            compared at the one named `sensitivity_90`, if it is among them.
        resamples: Number of bootstrap resamples of lesions; without any, nothing can be called weaker.
        seed: Of the resampling.

    Raises:
        ValueError: The traits of the predictions were not looked up.
    """
    divided = attributes(predictions)
    useful = [attribute for attribute in divided if len(attribute.groups) > 1]
    point = next((p.name for p in fixed if p.name == COMPARED_POINT), None)
    measured = {id(g): _Measured(predictions, g.mask, fixed, point) for a in useful for g in a.groups}
    for weights in resample_weights(predictions.group.tolist(), resamples, seed):
        for group in measured.values():
            group.resample(weights)
    results = tuple(
        AttributeResult(
            key=attribute.key,
            title=attribute.title,
            note=attribute.note,
            groups=tuple(measured[id(group)].result(group) for group in attribute.groups),
        )
        for attribute in useful
    )
    return GroupReport(
        judgement=Judgement(
            margin=MARGIN,
            least_pictures=LEAST_PICTURES,
            least_malignant=LEAST_EACH,
            least_benign=LEAST_EACH,
            least_per_class=LEAST_PER_CLASS,
            point=point,
            comparisons=sum(len(group.comparisons) for attribute in results for group in attribute.groups),
        ),
        attributes=results,
        notes=tuple(_note(attribute) for attribute in divided if len(attribute.groups) <= 1),
    )


def _note(attribute: Attribute) -> str:
    if attribute.groups:
        return f"{attribute.title}: all pictures are in one group ({attribute.groups[0].title})."
    return f"{attribute.title}: not known of any picture; the data folder may lack the official metadata files."


class _Measured:
    """The figures of one group and, where both are large enough, those of all other pictures."""

    def __init__(
        self, predictions: Predictions, mask: Bools, fixed: Sequence[FixedThreshold], point: str | None
    ) -> None:
        inside = predictions.subset(mask)
        self._inside, self._rows, self._names = inside, np.flatnonzero(mask), [p.name for p in fixed]
        self._counts = np.bincount(inside.label, minlength=NUM_CLASSES)
        self._classes = np.flatnonzero(self._counts >= LEAST_PER_CLASS).tolist()
        self._figures = GroupFigures(inside, fixed, self._classes)
        enough = _enough(predictions.malignant[mask]) and _enough(predictions.malignant[~mask])
        self._others = Others(predictions, mask, fixed) if enough else None
        self._compared = {"malignant_auc": "malignant_auc"}
        if point is not None:
            self._compared |= {rate: f"{rate}@{point}" for rate in ("sensitivity", "specificity")}
        self._values = self._of(np.ones((1, len(predictions))))
        self._drawn: list[Figures] = []

    def resample(self, weights: Floats) -> None:
        """Compute the figures on a block of resamples of all pictures, float64 `[b, N]`."""
        self._drawn.append(self._of(weights))

    def _of(self, weights: Floats) -> Figures:
        figures = self._figures.of(weights[:, self._rows])
        if self._others is not None:
            plain, matched = self._others.of(weights)
            for name in self._compared.values():
                figures[f"difference:{name}"] = figures[name] - plain[name]
                figures[f"same_sources:{name}"] = figures[name] - matched[name]
        return figures

    def result(self, group: Group) -> GroupResult:
        """Return the figures with their intervals."""
        inside = self._inside
        estimates = {
            name: _estimate(float(values[0]), np.concatenate([block[name] for block in self._drawn] or [np.empty(0)]))
            for name, values in self._values.items()
        }
        scalars: dict[str, Any] = {name: e for name, e in estimates.items() if name in GroupResult.model_fields}
        return GroupResult(
            key=group.key,
            title=group.title,
            n=len(inside),
            lesions=len(np.unique(inside.group)),
            malignant=int(inside.malignant.sum()),
            melanomas=int(self._counts[BY_CODE["MEL"].index]),
            small_share=float((inside.short_side < SHORT_SIDE).mean()),
            classes=tuple(CODES[k] for k in self._classes),
            operating_points=tuple(
                GroupPoint(
                    name=name,
                    sensitivity=estimates[f"sensitivity@{name}"],
                    specificity=estimates[f"specificity@{name}"],
                )
                for name in self._names
            ),
            judged=self._others is not None,
            comparisons=tuple(
                _comparison(figure, estimates[f"difference:{name}"], estimates[f"same_sources:{name}"])
                for figure, name in (self._compared.items() if self._others is not None else ())
            ),
            **scalars,
        )


def _comparison(figure: Any, difference: Estimate, same_sources: Estimate) -> Comparison:
    weaker = _weaker(difference)
    return Comparison(
        figure=figure,
        difference=difference,
        weaker=weaker,
        same_sources=same_sources,
        weaker_in_sources=weaker and _weaker(same_sources),
    )


def _weaker(difference: Estimate) -> bool:
    value, high = difference.value, difference.high
    return value is not None and high is not None and value <= -MARGIN and high < 0.0


def _enough(malignant: Bools) -> bool:
    positives = int(malignant.sum())
    return len(malignant) >= LEAST_PICTURES and min(positives, len(malignant) - positives) >= LEAST_EACH


def _estimate(value: float, samples: Floats) -> Estimate:
    if np.isnan(value):
        return Estimate(value=None)
    low, high = interval(samples) or (None, None)
    return Estimate(value=value, low=low, high=high)
