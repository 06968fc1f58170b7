"""Curves and areas of a network whose answer is known: how much of the lesion is still untouched."""

from __future__ import annotations

import numpy as np
import pytest

from lesionlens.evaluation.attention.perturb import summarise
from lesionlens.evaluation.attention.perturbation import Curves, area_under, curves_of, removal_ranks

SIDE = 20
LESION = np.zeros((SIDE, SIDE), dtype=bool)
LESION[5:15, 4:14] = True  # a quarter of the pixels
PICTURE = np.broadcast_to(LESION.astype(np.float32), (3, SIDE, SIDE)).copy()


def untouched(batch: np.ndarray) -> np.ndarray:
    return (batch[:, 0][:, LESION] > 0.999).mean(axis=1)


def curves(**heats: np.ndarray) -> dict[str, Curves]:
    return curves_of(PICTURE, heats, untouched, np.random.default_rng(0), batch_size=7)


def test_heat_on_the_lesion_takes_it_away_first_and_brings_it_back_first() -> None:
    found = curves(on=LESION.astype(np.float32))["on"]
    assert found.deletion.tolist() == pytest.approx([1, 0.8, 0.6, 0.4, 0.2] + [0] * 16)
    assert area_under(found.deletion) == pytest.approx(0.125)  # a triangle of a quarter of the pixels
    # The blurred lesion is nowhere as bright as the lesion, so what is put back is all there is.
    assert found.insertion.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8] + [1] * 16)
    assert area_under(found.insertion) == pytest.approx(0.875)


def test_heat_beside_the_lesion_does_so_last() -> None:
    found = curves(beside=(~LESION).astype(np.float32))["beside"]
    assert area_under(found.deletion) == pytest.approx(0.875)
    assert area_under(found.insertion) == pytest.approx(0.125)


def test_equal_heat_is_taken_in_random_order_not_row_by_row() -> None:
    found = curves(even=np.zeros((SIDE, SIDE)))["even"]
    assert area_under(found.deletion) == pytest.approx(0.5, abs=0.05)
    assert area_under(found.insertion) == pytest.approx(0.5, abs=0.05)
    assert len(set(np.round(np.diff(found.deletion), 6))) > 5  # row by row it would not change until row 5


def test_every_map_starts_and_ends_alike() -> None:
    found = curves(on=LESION.astype(np.float32), beside=(~LESION).astype(np.float32))
    assert list(found) == ["on", "beside"]
    for one in found.values():
        assert (one.deletion[0], one.insertion[-1]) == (1.0, 1.0)
        assert (one.deletion[-1], one.insertion[0]) == (0.0, 0.0)


def test_what_replaces_the_pixels() -> None:
    seen: list[np.ndarray] = []

    def watch(batch: np.ndarray) -> np.ndarray:
        seen.extend(batch)
        return untouched(batch)

    curves_of(PICTURE, {"on": LESION.astype(np.float32)}, watch, np.random.default_rng(0), steps=4)
    whole, blurred, mean = seen[:3]
    assert np.array_equal(whole, PICTURE)
    assert np.allclose(mean, 0.25)
    assert blurred.mean() == pytest.approx(0.25, abs=0.02)
    half_back, half_gone = seen[4], seen[7]
    assert np.array_equal(half_back[:, LESION], PICTURE[:, LESION])
    assert np.allclose(half_gone[:, LESION], 0.25)
    assert (half_gone[:, ~LESION] == 0.25).mean() == pytest.approx(1 / 3, abs=0.01)  # half less a quarter


def test_the_blur_is_as_wide_as_is_said() -> None:
    seen: list[np.ndarray] = []

    def watch(batch: np.ndarray) -> np.ndarray:
        seen.extend(batch)
        return np.zeros(len(batch))

    point = np.zeros((3, 41, 41), dtype=np.float32)
    point[:, 20, 20] = 1.0
    curves_of(point, {"flat": np.zeros((41, 41))}, watch, np.random.default_rng(0), steps=1, blur_sigma=0.1)
    profile = seen[1][0, 20]
    assert profile[20] == pytest.approx(1 / (2 * np.pi * 4.1**2), rel=0.01)
    assert profile[25] / profile[20] == pytest.approx(np.exp(-0.5 * (5 / 4.1) ** 2), rel=0.01)


def test_pixels_are_ranked_from_the_hottest() -> None:
    ranks = removal_ranks(np.array([[0.1, 0.9], [0.5, 0.0]]), np.random.default_rng(0))
    assert ranks.tolist() == [[2, 0], [1, 3]]


def test_the_area_is_trapezoidal() -> None:
    assert area_under(np.array([1.0, 0.0])) == 0.5
    assert area_under(np.array([0.2, 0.2, 0.2])) == pytest.approx(0.2)


def test_gains_are_paired_and_their_sign_means_better() -> None:
    rng = np.random.default_rng(3)
    level = rng.random(40)

    def of(insertion: float, deletion: float) -> Curves:
        return Curves(np.full(5, insertion), np.full(5, deletion))

    found = summarise(
        [
            {"heatmap": of(x + 0.3, x), "random": of(x, x + 0.2), "centre": of(x + 0.4, x - 0.1 * (i % 2))}
            for i, x in enumerate(level)
        ],
        [f"lesion {i // 2}" for i in range(40)],
        blur_sigma=20.8,
        resamples=200,
        seed=0,
    )
    assert (found.n, found.groups, found.steps, found.blur_sigma) == (40, 20, 4, 20.8)
    heatmap, random, centre = found.orderings
    assert [o.name for o in found.orderings] == ["heatmap", "random", "centre"]
    assert heatmap.insertion_gain is None
    assert heatmap.deletion_gain is None
    assert heatmap.insertion.value == pytest.approx(level.mean() + 0.3)
    assert random.insertion_gain is not None
    assert random.deletion_gain is not None
    assert random.insertion_gain.value == pytest.approx(0.3)
    assert random.deletion_gain.value == pytest.approx(0.2)
    assert centre.insertion_gain is not None
    assert centre.insertion_gain.value == pytest.approx(-0.1)
    assert centre.deletion_gain is not None
    assert centre.deletion_gain.value == pytest.approx(-0.05)
    # The pictures differ a lot, the two orders on one picture hardly: only a paired interval is this narrow.
    assert random.insertion.low is not None
    assert random.insertion.high is not None
    assert random.insertion.high - random.insertion.low > 0.1
    assert random.insertion_gain.high is None or random.insertion_gain.high - 0.3 < 1e-6
    assert random.insertion_curve == pytest.approx([level.mean()] * 5)
