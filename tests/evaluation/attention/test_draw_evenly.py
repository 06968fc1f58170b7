"""The pictures that are looked at closely: every kind, one per lesion, the same again."""

from __future__ import annotations

from collections import Counter

from lesionlens.evaluation.attention.sampling import draw_evenly

KINDS = ["NV"] * 80 + ["MEL"] * 15 + ["DF"] * 3 + ["VASC"] * 2
GROUPS = [str(i) for i in range(100)]


def test_rare_kinds_give_all_they_have() -> None:
    drawn = draw_evenly(KINDS, GROUPS, 25, seed=0)
    assert len(drawn) == len(set(drawn)) == 25
    assert Counter(KINDS[row] for row in drawn) == {"NV": 10, "MEL": 10, "DF": 3, "VASC": 2}


def test_the_same_seed_draws_the_same_and_another_draws_others() -> None:
    assert draw_evenly(KINDS, GROUPS, 12, seed=1) == draw_evenly(KINDS, GROUPS, 12, seed=1)
    assert draw_evenly(KINDS, GROUPS, 12, seed=1) != draw_evenly(KINDS, GROUPS, 12, seed=2)


def test_a_lesion_is_shown_once_per_kind() -> None:
    groups = [str(i // 20) for i in range(100)]
    drawn = draw_evenly(KINDS, groups, 100, seed=0)
    assert Counter(KINDS[row] for row in drawn) == {"NV": 4, "MEL": 1, "DF": 1, "VASC": 1}


def test_there_are_no_more_than_there_are() -> None:
    assert sorted(draw_evenly(KINDS, GROUPS, 1000, seed=0)) == list(range(100))
    assert draw_evenly(KINDS, GROUPS, 0, seed=0) == []
    assert draw_evenly([], [], 5, seed=0) == []


def test_they_come_by_kind() -> None:
    kinds = [(label, wrong) for label in (1, 0) for wrong in (True, False) for _ in range(3)]
    drawn = draw_evenly(kinds, [str(i) for i in range(12)], 8, seed=0)
    assert [kinds[row] for row in drawn] == [
        *[(0, False)] * 2,
        *[(0, True)] * 2,
        *[(1, False)] * 2,
        *[(1, True)] * 2,
    ]
