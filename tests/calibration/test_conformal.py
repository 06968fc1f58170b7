"""Prediction sets keep their promise, and are those of a library where it can make them."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import held

from lesionlens.calibration.conformal import LEAST_LESIONS, conformal_quantile, crossfitted_sets, fit_rule, set_figures
from lesionlens.calibration.crossfit import Held, folds_of
from lesionlens.uncertainty import in_sets, softmax


def probabilities_of(pictures: Held) -> np.ndarray:
    return softmax(pictures.logits)


@pytest.mark.parametrize(("pictures", "expected"), [(8, None), (9, 8.0), (10, 9.0), (19, 17.0), (20, 18.0), (99, 89.0)])
def test_the_quantile_is_that_of_split_conformal_prediction(pictures: int, expected: float | None) -> None:
    # The ⌈0.9 · (n + 1)⌉-th smallest of 0, 1, 2, …; of fewer than 9 no finite one keeps the promise.
    scores = np.random.default_rng(0).permutation(pictures).astype(np.float64)
    assert conformal_quantile(scores, np.arange(pictures).astype(np.str_), 0.9) == expected


def test_many_pictures_of_few_lesions_are_few_facts() -> None:
    scores, groups = np.arange(100.0), (np.arange(100) // 20).astype(np.str_)  # 5 lesions
    assert conformal_quantile(scores, groups, 0.9) is None
    assert conformal_quantile(scores, groups, 0.8) == 95.0  # 0.8 · 6/5 = 96 % of the pictures
    assert conformal_quantile(np.empty(0), np.empty(0, dtype=np.str_), 0.9) is None


def test_the_sets_are_those_of_crepes_where_every_lesion_has_one_picture() -> None:
    crepes = pytest.importorskip("crepes", reason="needs crepes to compare with")
    pictures, fresh = held(700), held(400, seed=1)
    p, q = probabilities_of(pictures), probabilities_of(fresh)
    scores = 1.0 - p[np.arange(len(p)), pictures.labels].astype(np.float64)
    rule = fit_rule(p, pictures.labels, pictures.groups)
    single = fit_rule(p, pictures.labels, pictures.groups, by_class=False)
    assert rule is not None
    assert single is not None

    conformal = crepes.ConformalClassifier().fit(scores)
    theirs = conformal.predict_set(1.0 - q.astype(np.float64), confidence=0.9, smoothing=False)
    theirs[np.arange(len(q)), q.argmax(axis=1)] = 1  # theirs may be empty
    np.testing.assert_array_equal(in_sets(q, single), theirs.astype(bool))

    enough = [k for k in range(8) if (pictures.labels == k).sum() >= LEAST_LESIONS]
    assert len(enough) >= 4
    for k in enough:
        own = crepes.ConformalClassifier().fit(scores[pictures.labels == k])
        inside = own.predict_set(1.0 - q[:, [k]].astype(np.float64), confidence=0.9, smoothing=False)[:, 0]
        first = q.argmax(axis=1) == k
        np.testing.assert_array_equal(in_sets(q, rule)[:, k], inside.astype(bool) | first)


def test_the_promise_is_kept_for_common_diagnoses_and_for_the_rare_together() -> None:
    """On average over what was fitted on: a promise of conformal prediction is one over draws of both."""
    common, kept = (0, 1, 2, 4), []
    for seed in range(40):
        pictures, fresh = held(500, seed=seed, most_pictures=3), held(2000, seed=1000 + seed, most_pictures=3)
        rule = fit_rule(probabilities_of(pictures), pictures.labels, pictures.groups)
        assert rule is not None
        inside = in_sets(probabilities_of(fresh), rule)
        covered, rare = inside[np.arange(len(fresh)), fresh.labels], ~np.isin(fresh.labels, common)
        kept.append([covered[fresh.labels == k].mean() for k in common] + [covered[rare].mean()])
    mean = np.mean(kept, axis=0)
    assert (mean > 0.885).all(), mean
    assert (mean < 0.95).all(), "the promise is not kept by making the sets too large"


def test_one_threshold_for_all_fails_what_is_rare() -> None:
    pictures, fresh = held(4000), held(20_000, seed=1)
    figures = {}
    for by_class in (True, False):
        rule = fit_rule(probabilities_of(pictures), pictures.labels, pictures.groups, by_class=by_class)
        assert rule is not None
        figures[by_class] = set_figures(in_sets(probabilities_of(fresh), rule), fresh.labels)
    assert figures[False].coverage > 0.89
    assert min(figures[False].by_class) < 0.8 < min(figures[True].by_class)


def test_rare_diagnoses_are_taken_together_and_then_with_all() -> None:
    pictures = held(2000)
    p, labels = probabilities_of(pictures), pictures.labels.copy()
    few = {5: 5, 6: 6}  # lesions of DF and VASC; the others have more than enough
    keep = np.ones(len(labels), dtype=bool)
    for k, n in few.items():
        keep[np.flatnonzero(labels == k)[n:]] = False
    rule = fit_rule(p[keep], labels[keep], pictures.groups[keep])
    assert rule is not None
    assert rule.class_thresholds is not None
    rare = keep & np.isin(labels, (5, 6))
    pooled = conformal_quantile(1.0 - p[rare, labels[rare]].astype(np.float64), pictures.groups[rare], 0.9)
    assert pooled is not None
    assert rule.class_thresholds[5] == rule.class_thresholds[6] == pooled

    keep &= labels != 6  # 5 lesions of DF alone are too few for any promise
    rule = fit_rule(p[keep], labels[keep], pictures.groups[keep])
    assert rule is not None
    assert rule.class_thresholds is not None
    assert rule.class_thresholds[5] == rule.class_thresholds[6] == rule.threshold
    assert (rule.pictures, rule.lesions) == (int(keep.sum()), int(keep.sum()))


def test_eight_lesions_are_too_few() -> None:
    pictures = held(8, most_pictures=4)
    assert fit_rule(probabilities_of(pictures), pictures.labels, pictures.groups) is None


def test_cross_fitted_figures_foretell_those_on_new_lesions() -> None:
    pictures, fresh = held(600, most_pictures=3), held(10_000, seed=1, most_pictures=3)
    p = probabilities_of(pictures)
    folds = folds_of(pictures)
    assert folds is not None
    foretold = crossfitted_sets(p, pictures, folds)
    rule = fit_rule(p, pictures.labels, pictures.groups)
    assert foretold is not None
    assert rule is not None
    measured = set_figures(in_sets(probabilities_of(fresh), rule), fresh.labels)
    assert foretold.coverage == pytest.approx(measured.coverage, abs=0.03)
    assert foretold.size == pytest.approx(measured.size, rel=0.15)
    assert 0 < measured.singletons < 1
    assert crossfitted_sets(p[:10], pictures.subset(np.arange(len(p)) < 10), folds[:10]) is None
