from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from drawn_lesions import dice, ellipse, photograph
from lesionlens.tracker.change import outline
from lesionlens.tracker.change.closer import Part, look_closer, part_around
from lesionlens.tracker.change.pieces import centrality, largest_piece

NOTHING = np.zeros((256, 256), dtype=np.float32)
NOWHERE = np.zeros((256, 256), dtype=bool)


def test_a_small_lesion_is_looked_at_in_a_square_around_it() -> None:
    spot = ellipse((256, 256), (120, 136), (20, 12))
    part = part_around(spot, NOTHING)
    assert part is not None
    assert part.side == pytest.approx(100, abs=3)
    assert part.left + part.side / 2 == pytest.approx(120, abs=1)
    assert part.top + part.side / 2 == pytest.approx(136, abs=1)


def test_the_square_stays_within_a_picture_that_is_not_square() -> None:
    spot = ellipse((256, 192), (250, 4), (5, 3))
    part = part_around(spot, np.zeros((192, 256), dtype=np.float32))
    assert part == Part(left=192, top=0, side=64)
    assert spot[part.window].sum() == spot.sum()


def test_a_lesion_that_fills_much_of_the_picture_needs_no_second_look() -> None:
    assert part_around(ellipse((256, 256), (128, 128), (60, 60)), NOTHING) is None


def test_where_nothing_is_likely_there_is_nothing_to_look_at() -> None:
    assert part_around(NOWHERE, NOTHING) is None
    assert part_around(NOWHERE, np.full((256, 256), 0.09, dtype=np.float32)) is None


def test_a_faint_spot_is_looked_at_although_it_was_not_taken_for_a_lesion() -> None:
    faint = np.where(ellipse((256, 256), (90, 100), (8, 8)), 0.3, 0.02).astype(np.float32)
    part = part_around(NOWHERE, faint)
    assert part is not None
    assert part == Part(left=58, top=68, side=64)


def test_a_mask_is_cut_by_the_edge_of_the_part_but_not_by_that_of_the_picture() -> None:
    part = Part(left=0, top=100, side=64)
    at_the_left, below, within = (NOWHERE.copy() for _ in range(3))
    at_the_left[120:130, 0:10] = True
    below[150:170, 20:30] = True
    within[120:130, 20:30] = True
    assert [part.cuts(m) for m in (at_the_left, below, within)] == [False, True, False]


def test_a_closer_look_says_nothing_of_what_lies_outside() -> None:
    spot = ellipse((256, 256), (120, 136), (16, 12), 20.0)
    part = Part(left=80, top=96, side=80)
    seen = look_closer(np.asarray(photograph(spot)), part, None, 1.5)
    outside = np.ones((256, 256), dtype=bool)
    outside[part.window] = False
    assert (seen[outside] == 0.0).all()
    assert dice(seen > 0.5, spot) > 0.9


@pytest.mark.parametrize("axes", [(12.0, 9.0), (16.0, 11.0), (22.0, 18.0)])
def test_a_small_drawn_lesion_is_outlined(axes: tuple[float, float]) -> None:
    spot = ellipse((256, 256), (110, 140), axes, 30.0)
    found = outline(photograph(spot))
    assert found.found
    assert dice(found.mask, spot) > 0.9


def test_a_picture_without_details_is_not_looked_at_twice_in_vain() -> None:
    assert not outline(Image.new("RGB", (256, 192), (224, 182, 160))).found


def test_of_two_pieces_the_one_nearer_the_middle_is_the_lesion() -> None:
    shape = (128, 128)
    middle, corner = ellipse(shape, (64, 64), (10, 10)), ellipse(shape, (12, 12), (11, 11))
    assert (largest_piece(middle | corner, centrality(shape)) == middle).all()
    assert (largest_piece(middle | corner, np.ones(shape, dtype=np.float32)) == corner).all()
    assert not largest_piece(np.zeros(shape, dtype=bool), centrality(shape)).any()


def test_holes_are_filled() -> None:
    ring = ellipse((64, 64), (32, 32), (20, 20)) & ~ellipse((64, 64), (32, 32), (8, 8))
    filled = largest_piece(ring, np.ones((64, 64), dtype=np.float32))
    assert (filled == ellipse((64, 64), (32, 32), (20, 20))).all()
