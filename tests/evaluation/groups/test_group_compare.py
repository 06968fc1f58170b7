"""The figures of groups against scikit-learn, and what counts as weaker, on data whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from group_data import scored, with_traits
from sklearn.metrics import recall_score, roc_auc_score

from lesionlens.evaluation import Predictions
from lesionlens.evaluation.calibration import expected_calibration_error
from lesionlens.evaluation.groups.compare import group_report
from lesionlens.evaluation.groups.records import GroupReport, GroupResult
from lesionlens.evaluation.schema import FixedThreshold
from lesionlens.taxonomy import CODES
from lesionlens.uncertainty import malignant_probability

POINTS = (FixedThreshold(name="sensitivity_90", threshold=0.4), FixedThreshold(name="sensitivity_95", threshold=0.2))


def group(report: GroupReport, attribute: str, key: str) -> GroupResult:
    [result] = [g for a in report.attributes if a.key == attribute for g in a.groups if g.key == key]
    return result


@pytest.fixture(scope="module")
def grouped(mixed: Predictions) -> Predictions:
    n = len(mixed)
    lesion = np.arange(n) // 2
    return with_traits(
        mixed,
        sex=np.array(["female", "male", ""])[lesion % 3].tolist(),
        age=(lesion % 95 - 1).tolist(),
        site=np.array(["head/neck", "palms/soles"])[(lesion > 4).astype(int)].tolist(),
        ita=np.linspace(-60, 95, n).tolist(),
    )


def test_every_figure_is_that_of_the_groups_own_pictures(grouped: Predictions) -> None:
    report = group_report(grouped, POINTS, resamples=30)
    assert [a.key for a in report.attributes] == ["sex", "age", "sex_age", "site", "source", "tone"]
    assert grouped.traits is not None
    mask = grouped.traits.sex == "female"
    own, female = grouped.subset(mask), group(report, "sex", "female")
    score = malignant_probability(own.probabilities)
    assert (female.n, female.lesions) == (mask.sum(), mask.sum() // 2)
    assert (female.malignant, female.melanomas) == (own.malignant.sum(), (own.label == 0).sum())
    assert female.small_share == pytest.approx((own.short_side < 180).mean())
    assert female.malignant_auc.value == pytest.approx(roc_auc_score(own.malignant, score))
    assert female.melanoma_sensitivity.value == pytest.approx((own.top[own.label == 0] == 0).mean())
    assert female.answered.value == pytest.approx((own.prediction < 8).mean())
    ece = expected_calibration_error(np.ones((1, len(own))), own.confidence, own.top == own.label)
    assert female.ece.value == pytest.approx(ece[0])
    counted = [k for k in range(8) if (own.label == k).sum() >= 5]
    assert 1 < len(counted) < 8
    assert female.classes == tuple(CODES[k] for k in counted)
    assert female.balanced_accuracy.value == pytest.approx(
        recall_score(own.label, own.top, labels=counted, average="macro")
    )
    for point, fixed in zip(female.operating_points, POINTS, strict=True):
        assert point.name == fixed.name
        assert point.sensitivity.value == pytest.approx((score[own.malignant] >= fixed.threshold).mean())
        assert point.specificity.value == pytest.approx((score[~own.malignant] < fixed.threshold).mean())
        assert point.specificity.low is not None
        assert point.specificity.low < point.specificity.value < (point.specificity.high or 0)


def test_the_difference_is_that_to_all_other_pictures(grouped: Predictions) -> None:
    report = group_report(grouped, POINTS, resamples=30)
    assert grouped.traits is not None
    mask = grouped.traits.sex == "male"
    inside, outside = grouped.subset(mask), grouped.subset(~mask)
    aucs = [roc_auc_score(p.malignant, malignant_probability(p.probabilities)) for p in (inside, outside)]
    compared = group(report, "sex", "male").comparison("malignant_auc")
    assert compared is not None
    assert compared.difference.value == pytest.approx(aucs[0] - aucs[1])
    rates = [(malignant_probability(p.probabilities)[p.malignant] >= 0.4).mean() for p in (inside, outside)]
    compared = group(report, "sex", "male").comparison("sensitivity")
    assert compared is not None
    assert compared.difference.value == pytest.approx(rates[0] - rates[1])


def test_equal_input_gives_an_equal_report(grouped: Predictions) -> None:
    assert group_report(grouped, POINTS, resamples=20, seed=3) == group_report(grouped, POINTS, resamples=20, seed=3)


def people(n: int, shift: Sequence[float], seed: int = 0) -> Predictions:
    """Malignant and benign pictures in turn; those of women score `shift` (malignant, benign) higher."""
    rng = np.random.default_rng(seed)
    malignant, female = np.arange(n) % 2 == 0, np.arange(n) % 4 < 2
    scores = np.where(malignant, 0.65, 0.25) + rng.normal(0, 0.12, n)
    scores += female * np.where(malignant, *shift)
    return with_traits(scored(malignant.tolist(), scores.tolist()), sex=np.where(female, "female", "male").tolist())


def weaker(report: GroupReport) -> set[tuple[str, str]]:
    return {(g.key, c.figure) for a in report.attributes for g in a.groups for c in g.comparisons if c.weaker}


def test_a_group_that_is_served_worse_is_named_and_no_other() -> None:
    assert weaker(group_report(people(600, (-0.3, 0.0)), POINTS, resamples=200)) == {
        ("female", "malignant_auc"),
        ("female", "sensitivity"),
    }
    assert weaker(group_report(people(600, (0.0, 0.2)), POINTS, resamples=200)) == {
        ("female", "malignant_auc"),
        ("female", "specificity"),
    }
    assert weaker(group_report(people(600, (0.0, 0.0), seed=2), POINTS, resamples=200)) == set()


def test_a_sure_but_small_difference_does_not_count() -> None:
    n = 8000
    malignant, female = np.arange(n) % 2 == 0, np.arange(n) % 4 < 2
    scores = np.where(malignant, 0.9, 0.1)
    scores[(np.arange(n) % 100 == 0)] = 0.1  # 2 % of the malignant pictures, all of women: 4 % of theirs
    scores[(np.arange(n) % 200 == 6)] = 0.1  # and 2 % of those of men
    predictions = with_traits(
        scored(malignant.tolist(), scores.tolist()), sex=np.where(female, "female", "male").tolist()
    )
    compared = group(group_report(predictions, POINTS, resamples=200), "sex", "female").comparison("sensitivity")
    assert compared is not None
    assert compared.difference.value == pytest.approx(-0.02)
    assert compared.difference.high is not None
    assert compared.difference.high < 0.0
    assert not compared.weaker


def test_a_large_but_unsure_difference_does_not_count() -> None:
    found = [i >= 2 for i in range(20)] + [i >= 1 for i in range(20)]  # 18 of the women's 20 cancers, 19 of the men's
    scores = [0.9 if f else 0.1 for f in found] + [0.2] * 40
    sexes = (["female"] * 20 + ["male"] * 20) * 2
    report = group_report(with_traits(scored([True] * 40 + [False] * 40, scores), sex=sexes), POINTS, resamples=200)
    compared = group(report, "sex", "female").comparison("sensitivity")
    assert compared is not None
    assert compared.difference.value == pytest.approx(-0.05)
    assert compared.difference.high is not None
    assert compared.difference.high > 0.0
    assert weaker(report) == set()


@pytest.mark.parametrize(
    ("women", "sick", "judged"), [(40, 10, True), (29, 10, False), (40, 9, False), (40, 31, False)]
)
def test_groups_that_are_too_small_are_shown_but_not_judged(women: int, sick: int, judged: bool) -> None:
    malignant = [i < sick for i in range(women)] + [i % 2 == 0 for i in range(100)]
    sexes = ["female"] * women + ["male"] * 100
    report = group_report(with_traits(scored(malignant, [0.5] * (women + 100)), sex=sexes), POINTS, resamples=10)
    for key in ("female", "male"):
        assert group(report, "sex", key).judged is judged
        assert bool(group(report, "sex", key).comparisons) is judged
        assert group(report, "sex", key).answered.value is not None
    assert report.judgement.comparisons == (6 if judged else 0)


def test_without_intervals_nothing_is_called_weaker() -> None:
    report = group_report(people(600, (-0.3, 0.0)), POINTS, resamples=0)
    compared = group(report, "sex", "female").comparison("sensitivity")
    assert compared is not None
    assert compared.difference.value is not None
    assert compared.difference.value < -0.2
    assert compared.difference.low is None
    assert weaker(report) == set()


def test_without_the_point_only_the_auc_is_compared() -> None:
    report = group_report(people(600, (-0.3, 0.0)), POINTS[1:], resamples=20)
    assert report.judgement.point is None
    assert [c.figure for c in group(report, "sex", "female").comparisons] == ["malignant_auc"]


def test_a_group_from_a_hard_source_is_not_weaker_than_others_of_that_source() -> None:
    rng = np.random.default_rng(4)
    n = 2400
    malignant = np.arange(n) % 2 == 0
    hard = np.arange(n) % 8 < 4
    # Three quarters of the women's pictures are from the hard source, and a quarter of the men's.
    female = rng.random(n) < np.where(hard, 0.75, 0.25)
    scores = np.where(malignant, 0.7, 0.2) + rng.normal(0, np.where(hard, 0.4, 0.12))
    predictions = scored(malignant.tolist(), scores.tolist(), np.where(hard, "BCN", "HAM").tolist())
    report = group_report(
        with_traits(predictions, sex=np.where(female, "female", "male").tolist()), POINTS, resamples=200
    )
    compared = group(report, "sex", "female").comparison("malignant_auc")
    assert compared is not None
    assert compared.weaker
    assert compared.same_sources.value == pytest.approx(0.0, abs=0.03)
    assert not compared.weaker_in_sources
    of_source = group(report, "source", "BCN").comparison("malignant_auc")
    assert of_source is not None
    assert of_source.weaker
    assert of_source.same_sources.value is None  # nobody else has pictures of that source


def test_a_group_that_is_worse_within_each_source_stays_weaker() -> None:
    predictions = people(1200, (-0.3, 0.0))
    assert predictions.traits is not None
    two = scored(
        predictions.malignant.tolist(),
        malignant_probability(predictions.probabilities).tolist(),
        ["BCN" if i % 8 < 4 else "HAM" for i in range(1200)],
    )
    report = group_report(with_traits(two, sex=predictions.traits.sex.tolist()), POINTS, resamples=100)
    compared = group(report, "sex", "female").comparison("sensitivity")
    assert compared is not None
    assert compared.weaker_in_sources
    assert compared.same_sources.value == pytest.approx(compared.difference.value, abs=0.05)


def test_what_cannot_be_divided_is_said() -> None:
    report = group_report(with_traits(scored([True, False], [0.9, 0.1], ["HAM", "HAM"])), resamples=0)
    assert report.attributes == ()
    assert "Source: all pictures are in one group (HAM)." in report.notes
    assert any(note.startswith("Sex: not known of any picture") for note in report.notes)
