"""Maps and lesions whose scores anyone can work out."""

from __future__ import annotations

import numpy as np
import pytest

from lesionlens.evaluation.attention.baselines import centre_gaussian, random_map, uniform_map
from lesionlens.evaluation.attention.localisation import displacement, energy_on, grow, points_at

LESION = np.zeros((20, 20), dtype=bool)
LESION[4:14, 2:12] = True  # a quarter of the picture
EVERYTHING, NOTHING = np.ones((20, 20), dtype=bool), np.zeros((20, 20), dtype=bool)


def spot(row: int, column: int) -> np.ndarray:
    heat = np.zeros((20, 20), dtype=np.float32)
    heat[row, column] = 0.5
    return heat


def test_all_heat_on_the_lesion() -> None:
    assert energy_on(LESION.astype(np.float32), LESION) == 1.0
    assert points_at(LESION.astype(np.float32), LESION) == 1.0


def test_all_heat_beside_the_lesion() -> None:
    assert energy_on((~LESION).astype(np.float32), LESION) == 0.0
    assert points_at((~LESION).astype(np.float32), LESION) == 0.0


def test_even_heat_scores_the_lesions_share_of_the_area() -> None:
    assert energy_on(uniform_map(20), LESION) == 0.25
    assert points_at(uniform_map(20), LESION) == 0.25


def test_energy_weighs_heat_not_area() -> None:
    heat = np.where(LESION, 3.0, 1.0)
    assert energy_on(heat, LESION) == pytest.approx(3 * 100 / (3 * 100 + 300))
    assert energy_on(heat * 1e-6, LESION) == energy_on(heat, LESION)


def test_equally_hot_points_count_by_their_share() -> None:
    tied = spot(5, 5) + spot(0, 0) + spot(19, 19) + spot(6, 6)
    assert points_at(tied, LESION) == 0.5


def test_a_lesion_that_fills_the_picture_cannot_be_missed() -> None:
    assert energy_on(spot(0, 0), EVERYTHING) == 1.0
    assert points_at(spot(0, 0), EVERYTHING) == 1.0
    assert grow(EVERYTHING, 5.0).all()


def test_without_heat_nothing_is_shown_and_nothing_is_hit() -> None:
    cold = np.zeros((20, 20), dtype=np.float32)
    assert energy_on(cold, LESION) == 0.0
    assert points_at(cold, LESION) == 0.0
    assert displacement(cold, LESION) is None


def test_nothing_lies_on_an_empty_mask() -> None:
    assert energy_on(uniform_map(20), NOTHING) == 0.0
    assert points_at(uniform_map(20), NOTHING) == 0.0
    with pytest.raises(ValueError, match="empty mask"):
        grow(NOTHING, 3.0)


def test_the_tolerance_is_a_distance() -> None:
    at = [points_at(spot(13 + k, 11), grow(LESION, 3.0)) for k in range(6)]
    assert at == [1, 1, 1, 1, 0, 0]  # 0–3 px below the lowest row are within 3 px
    assert points_at(spot(15, 13), grow(LESION, 3.0)) == 1.0  # 2√2 px from the corner
    assert points_at(spot(16, 14), grow(LESION, 3.0)) == 0.0  # 3√2 px from it
    assert np.array_equal(grow(LESION, 0.0), LESION)


def test_displacement_is_to_the_right_and_down() -> None:
    shifted = np.roll(LESION, (2, 5), axis=(0, 1)).astype(np.float32)
    assert displacement(shifted, LESION) == pytest.approx((5 / 20, 2 / 20))
    assert displacement(LESION.astype(np.float32), LESION) == pytest.approx((0.0, 0.0))


def test_the_centre_gaussian_is_round_and_in_the_middle() -> None:
    gaussian = centre_gaussian(21, sigma=0.2)
    assert np.unravel_index(gaussian.argmax(), gaussian.shape) == (10, 10)
    assert gaussian[10, 10] == 1.0
    assert np.array_equal(gaussian, gaussian.T)
    assert np.array_equal(gaussian, gaussian[::-1])
    # One standard deviation of 0.2 · 21 = 4.2 px away; there is a pixel at 4 px.
    assert gaussian[10, 14] == pytest.approx(np.exp(-0.5 * (4 / 4.2) ** 2))


def test_the_centre_of_an_even_side_points_at_its_four_middle_pixels() -> None:
    lesion = np.zeros((20, 20), dtype=bool)
    lesion[:, :10] = True
    assert points_at(centre_gaussian(20), lesion) == 0.5


def test_random_maps_are_smooth_like_heatmaps_and_differ() -> None:
    rng = np.random.default_rng(0)
    one, other = random_map((7, 7), 210, rng), random_map((7, 7), 210, rng)
    assert one.shape == (210, 210)
    assert not np.array_equal(one, other)
    assert np.abs(np.diff(one, axis=0)).max() < 0.05  # at most 1 in the 30 px from cell to cell
