from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from drawn_lesions import SKIN, ellipse, photograph
from lesionlens.tracker.change import Outline, outline, register
from lesionlens.tracker.change.affine import (
    area_factor,
    centred,
    compose,
    identity,
    invert,
    map_points,
    rescale,
    warp,
)
from lesionlens.tracker.change.details import correlation, find_details, lit_part, match
from lesionlens.tracker.change.growth import grow
from lesionlens.tracker.change.rephotograph import Ranges, Shot, draw_shot, misplacement, rephotograph

DISC = ellipse((256, 256), (120, 136), (45, 35), 30.0)
KNOWN = Outline.from_mask(DISC)
POINTS = np.array([[0.0, 0.0], [200.0, 30.0], [17.0, 240.0]])


def test_maps_compose_and_invert() -> None:
    first, second = centred((256, 256), 30.0, 1.2, (5.0, -3.0)), centred((100, 50), -70.0, 0.8, (0.0, 9.0))
    both = compose(second, first)
    assert map_points(both, POINTS) == pytest.approx(map_points(second, map_points(first, POINTS)))
    assert map_points(invert(both), map_points(both, POINTS)) == pytest.approx(POINTS)
    assert area_factor(both) == pytest.approx((1.2 * 0.8) ** 2)


def test_a_map_about_the_middle_keeps_the_middle() -> None:
    assert map_points(centred((80, 60), 123.0, 1.7, (0.0, 0.0)), [[40.0, 30.0]]) == pytest.approx(
        np.array([[40.0, 30.0]])
    )


def test_a_quarter_turn_is_clockwise_and_exact() -> None:
    picture = np.zeros((64, 64, 3), dtype=np.uint8)
    picture[10:20, 40:50] = 255
    turned = warp(picture, centred((64, 64), 90.0, 1.0, (0.0, 0.0)), (64, 64))
    assert (turned == np.rot90(picture, -1)).all()


def test_a_map_between_pictures_holds_at_other_sizes() -> None:
    matrix = centred((256, 256), 25.0, 1.1, (4.0, 2.0))
    other = rescale(matrix, 4.0, 0.5)  # the source picture four times as large, the target half as large
    assert map_points(other, POINTS * 4.0) == pytest.approx(map_points(matrix, POINTS) * 0.5)


def test_enlarging_by_two_and_shrinking_again_gives_the_picture_back() -> None:
    picture = np.asarray(photograph(DISC)).astype(np.float32)
    twice = warp(picture, rescale(identity(), 1.0, 2.0), (512, 512))
    again = warp(twice, rescale(identity(), 2.0, 1.0), (256, 256))
    assert np.abs(again - picture)[8:-8, 8:-8].mean() < 6.0


@pytest.mark.parametrize(
    "shot",
    [
        Shot(turn=37.0),
        Shot(turn=180.0),
        Shot(zoom=1.3),
        Shot(zoom=0.75),
        Shot(shift=(0.1, -0.07)),
        Shot(gains=(1.15, 1.0, 0.9), gamma=0.9),
        Shot(turn=-120.0, zoom=1.1, shift=(0.03, 0.05), gains=(0.9, 0.95, 1.0), blur=0.8, quality=60),
    ],
)
def test_a_known_second_photograph_is_brought_back(shot: Shot) -> None:
    before = photograph(DISC)
    after, truth = rephotograph(before, shot)
    found = register(before, after, before_outline=KNOWN)
    assert found.success, found.reason
    assert found.reason is None
    assert misplacement(found.matrix, truth, (256, 256)) < 1.0
    assert found.zoom == pytest.approx(1.0 / shot.zoom, rel=0.01)
    assert math.cos(math.radians(found.turn + shot.turn)) > 0.9995


def test_photographs_of_different_size_and_shape_are_brought_together() -> None:
    before = photograph(DISC)
    after = before.resize((900, 900), Image.Resampling.BICUBIC).crop((100, 150, 900, 750))
    found = register(before, after, before_outline=KNOWN)
    assert found.success, found.reason
    # The later picture is worked on at 256 × 192: one of its pixels shows 800 / 256 of 900, so 800 / 900 of one here.
    assert (found.before_size, found.after_size) == ((256, 256), (256, 192))
    truth = np.array([[8 / 9, 0.0, 100 * 256 / 900], [0.0, 8 / 9, 150 * 256 / 900]])
    assert map_points(found.matrix, POINTS) == pytest.approx(map_points(truth, POINTS), abs=1.0)


def test_growth_of_the_lesion_does_not_pass_for_a_closer_camera() -> None:
    before = photograph(DISC)
    found = register(before, grow(before, DISC, 1.25), before_outline=KNOWN)
    assert found.method == "skin"
    assert found.zoom == pytest.approx(1.0, abs=0.03)


def test_two_lesions_are_not_taken_for_one() -> None:
    found = register(photograph(DISC, 1), photograph(DISC, 2), before_outline=KNOWN, after_outline=KNOWN)
    assert not found.success
    assert found.method == "outline"
    assert found.reason is not None


def test_the_fall_back_lays_outlines_on_each_other() -> None:
    small = ellipse((256, 256), (90, 100), (22.5, 17.5), 30.0)
    found = register(
        photograph(DISC, 1), photograph(small, 2), before_outline=KNOWN, after_outline=Outline.from_mask(small)
    )
    assert not found.success
    assert found.zoom == pytest.approx(2.0, rel=0.03)
    assert map_points(found.matrix, [[90.0, 100.0]]) == pytest.approx(np.array([[120.0, 136.0]]), abs=0.6)


def test_without_details_and_without_a_lesion_nothing_is_known() -> None:
    plain = Image.new("RGB", (256, 256), SKIN)
    found = register(plain, photograph(DISC), after_outline=KNOWN)
    assert (found.success, found.method) == (False, "none")
    assert found.reason is not None
    assert "no lesion was outlined in the earlier one" in found.reason
    assert (found.matrix == identity()).all()


def test_plain_pictures_have_no_details() -> None:
    plain = np.full((256, 256, 3), 200, dtype=np.uint8)
    details = find_details(plain, lit_part(plain))
    assert details.points.shape == (0, 2)
    assert len(match(details, details).before) == 0


def test_the_dark_tube_of_a_dermatoscope_gives_no_details() -> None:
    pixels = np.asarray(photograph(DISC)).copy()
    round_view = ellipse((256, 256), (128, 128), (116, 116))
    pixels[~round_view] = 5
    lit = lit_part(pixels)
    assert not lit[~round_view].any()
    assert lit[64:192, 64:192].all()


def test_a_dark_lesion_in_the_middle_is_not_taken_for_the_tube() -> None:
    assert lit_part(np.asarray(photograph(DISC, colour=(20, 12, 10)))).all()


def test_correlation_is_that_of_pearson() -> None:
    first = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    everywhere = np.ones((40, 40), dtype=bool)
    assert correlation(first, 3.0 * first + 5.0, everywhere) == pytest.approx(1.0)
    assert correlation(first, -first, everywhere) == pytest.approx(-1.0)
    assert correlation(first, np.zeros_like(first), everywhere) == 0.0
    assert correlation(first, first, ~everywhere) == 0.0


def test_real_lesions_are_brought_together_and_told_apart(real_lesions: list[tuple[Image.Image, np.ndarray]]) -> None:
    rng = np.random.default_rng(3)
    errors, others = [], 0
    known = [(image, outline(image)) for image, _ in real_lesions[:10]]
    for i, (before, first) in enumerate(known):
        after, truth = rephotograph(before, draw_shot(rng, Ranges()))
        found = register(before, after, before_outline=first)
        errors.append(misplacement(found.matrix, truth, before.size) if found.success else math.inf)
        other, second = known[i - 1]
        others += register(before, other, before_outline=first, after_outline=second).success
    assert np.sum(np.isfinite(errors)) >= 9
    assert np.median(errors) < 1.0
    assert others == 0


def test_a_camera_three_times_as_close_is_too_close() -> None:
    before = photograph(DISC)
    after = before.crop((100, 110, 156, 166)).resize((256, 256), Image.Resampling.BICUBIC)
    assert not register(before, after, before_outline=KNOWN, after_outline=KNOWN).success
