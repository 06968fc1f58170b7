"""From predictions to `Uncertainty`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from lesionlens.evaluation.bootstrap import interval, resample_weights
from lesionlens.evaluation.figures import Estimate
from lesionlens.evaluation.predictions import Predictions
from lesionlens.evaluation.slices import Slice, slices
from lesionlens.evaluation.uncertainty.records import (
    ClassCoverage,
    RuleResult,
    ScoreResult,
    SetResult,
    Uncertainty,
    UncertaintySlice,
)
from lesionlens.evaluation.uncertainty.selective import RiskCoverage, Selection, confidence_scores
from lesionlens.evaluation.uncertainty.sets import set_values, sizes
from lesionlens.evaluation.wording import MAIN_SLICES
from lesionlens.inference.records import PredictionSetRule
from lesionlens.taxonomy import CODES, NOT_CONFIDENT_INDEX
from lesionlens.uncertainty import in_sets

__all__ = ["measure_uncertainty"]

Floats = npt.NDArray[np.float64]
_SCORES: tuple[Any, ...] = get_args(ScoreResult.model_fields["score"].annotation)
_RULES: tuple[Any, ...] = get_args(RuleResult.model_fields["rule"].annotation)


def measure_uncertainty(
    predictions: Predictions, rule: PredictionSetRule | None, *, resamples: int, seed: int
) -> Uncertainty:
    """Measure how well doubt tells wrong answers, on all pictures and by resolution.

    Prediction sets are formed anew from the probabilities by the rule that serving applies, so predictions that were
    kept before there were sets can be measured too.

    Args:
        predictions: Truth and answers.
        rule: The model's conformal rule; None measures no sets.
        resamples: Number of bootstrap resamples of lesions; 0 for no intervals.
        seed: Seed of the resampling.
    """
    parts = [
        part for part in slices(predictions) if part.key in MAIN_SLICES and (part.key == "all" or not part.mask.all())
    ]
    return Uncertainty(slices=tuple(_slice(predictions, part, rule, resamples, seed) for part in parts))


class _Figures:
    """What does not change between resamples; its figures have flat names, such as `augrc:margin`."""

    def __init__(self, predictions: Predictions, rule: PredictionSetRule | None) -> None:
        self._label, self._group = predictions.label, predictions.group
        self._wrong = predictions.top != predictions.label
        answered = predictions.prediction != NOT_CONFIDENT_INDEX
        scores = confidence_scores(predictions) | {"answered": answered.astype(np.float64)}
        self._rules = {"confident": answered}
        self.inside = None if rule is None else in_sets(predictions.probabilities, rule)
        if self.inside is not None:
            count = self.inside.sum(axis=1)
            scores["set_size"] = -count.astype(np.float64)
            self._rules["single"] = count == 1
        self._orders = {name: RiskCoverage(self._wrong, score) for name, score in scores.items()}

    def of(self, weights: Floats) -> dict[str, Floats]:
        figures: dict[str, Floats] = {}
        for name, order in self._orders.items():
            figures[f"augrc:{name}"], figures[f"aurc:{name}"] = order.areas(weights)
        for name, answered in self._rules.items():
            selection = Selection.of(weights, self._wrong, answered)
            figures |= {f"{field}:{name}": values for field, values in selection._asdict().items()}
        if self.inside is not None:
            measured = set_values(weights, self.inside, self._label, self._group)
            figures |= {f"set:{name}": values for name, values in measured.items()}
        return figures


def _estimates(figures: _Figures, n: int, blocks: Iterable[Floats]) -> dict[str, Estimate]:
    values = figures.of(np.ones((1, n)))
    computed = [figures.of(weights) for weights in blocks]
    estimates = {}
    for name, [value] in values.items():
        samples = np.concatenate([block[name] for block in computed]) if computed else np.empty(0)
        low, high = (None if np.isnan(value) else interval(samples)) or (None, None)
        estimates[name] = Estimate(value=None if np.isnan(value) else float(value), low=low, high=high)
    return estimates


def _slice(
    predictions: Predictions, part: Slice, rule: PredictionSetRule | None, resamples: int, seed: int
) -> UncertaintySlice:
    chosen = predictions.subset(part.mask)
    figures = _Figures(chosen, rule)
    found = _estimates(figures, len(chosen), resample_weights(chosen.group.tolist(), resamples, seed))
    risk = float((chosen.top != chosen.label).mean())
    return UncertaintySlice(
        key=part.key,
        title=part.title,
        n=len(chosen),
        augrc_best=risk**2 / 2.0,
        augrc_random=risk / 2.0,
        scores=tuple(
            ScoreResult(score=name, augrc=found[f"augrc:{name}"], aurc=found[f"aurc:{name}"])
            for name in _SCORES
            if f"augrc:{name}" in found
        ),
        rules=tuple(
            RuleResult(rule=name, **{field: found[f"{field}:{name}"] for field in Selection._fields})
            for name in _RULES
            if f"coverage:{name}" in found
        ),
        sets=None if rule is None or figures.inside is None else _sets(chosen, rule, figures.inside, found),
    )


def _sets(
    predictions: Predictions, rule: PredictionSetRule, inside: npt.NDArray[np.bool_], found: dict[str, Estimate]
) -> SetResult:
    support = np.bincount(predictions.label, minlength=len(CODES))
    return SetResult(
        target=rule.coverage,
        coverage=found["set:coverage"],
        lesion_coverage=found["set:lesion_coverage"],
        classes=tuple(
            ClassCoverage(code=code, support=int(support[k]), coverage=found[f"set:coverage:{code}"])
            for k, code in enumerate(CODES)
        ),
        size=found["set:size"],
        singletons=found["set:singletons"],
        sizes=sizes(inside),
    )
