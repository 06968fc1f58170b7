"""Heat and mask meet on one grid, and it is the grid of the overlay that users see."""

from __future__ import annotations

import numpy as np
import pytest

from lesionlens.attention import heat_on_photo
from lesionlens.errors import DataError
from lesionlens.evaluation.attention.geometry import enlarge, mask_as_seen
from lesionlens.imaging.preprocess import PreprocessSpec, crop_box

WHOLE = (0.0, 0.0, 1.0, 1.0)


def one_hot_cell(row: int, column: int, cells: int = 7) -> np.ndarray:
    hot = np.zeros((cells, cells), dtype=np.float32)
    hot[row, column] = 3.0
    return hot


@pytest.mark.parametrize("cell", [(0, 0), (3, 3), (6, 1), (2, 6)])
def test_the_hottest_point_is_the_middle_of_the_hot_cell(cell: tuple[int, int]) -> None:
    heat = enlarge(one_hot_cell(*cell), 224)
    rows, columns = np.nonzero(heat == heat.max())
    # At the edge of the picture the half cell that has no neighbour is as hot as the middle.
    assert cell[0] * 32 <= rows.mean() < cell[0] * 32 + 32
    assert cell[1] * 32 <= columns.mean() < cell[1] * 32 + 32
    if cell == (3, 3):
        assert (rows.mean(), columns.mean()) == (111.5, 111.5)


@pytest.mark.parametrize(
    ("size", "fit"), [((600, 450), "center_crop"), ((300, 420), "center_crop"), ((90, 60), "squash")]
)
def test_it_lies_where_the_overlay_draws_it(size: tuple[int, int], fit: str) -> None:
    spec = PreprocessSpec(size=208, fit=fit)  # type: ignore[arg-type]
    left, top, right, bottom = crop_box(*size, spec)
    box = (left / size[0], top / size[1], right / size[0], bottom / size[1])
    rng = np.random.default_rng(0)
    class_map = rng.random((7, 7), dtype=np.float32)
    class_map[4, 2] = 0.0  # so that min–max scaling is division alone
    shown = heat_on_photo(class_map, size, box)
    assert shown.sum() == pytest.approx(shown[top:bottom, left:right].sum())
    side = min(right - left, bottom - top)
    if right - left == bottom - top:
        measured = enlarge(class_map, side)
        assert np.allclose(shown[top:bottom, left:right], measured / class_map.max(), atol=1e-5)
    lesion = shown > 0.8
    seen = mask_as_seen(lesion, size, box, spec.size)
    agreement = (enlarge(class_map, spec.size) > 0.8 * class_map.max()) == seen
    assert agreement.mean() > 0.98


def test_negative_heat_is_cut_off() -> None:
    heat = enlarge(np.array([[-5.0, 1.0]], dtype=np.float32), 40)
    assert heat.min() == 0.0
    assert heat.max() == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_map_that_is_not_finite_has_no_heat(value: float) -> None:
    assert not enlarge(np.array([[1.0, value]], dtype=np.float32), 8).any()


def test_the_mask_is_cut_like_the_picture() -> None:
    mask = np.zeros((100, 200), dtype=bool)
    mask[:, 50:100] = True  # the left half of the centred square
    seen = mask_as_seen(mask, (200, 100), (0.25, 0.0, 0.75, 1.0), 64)
    assert seen[:, :32].all()
    assert not seen[:, 32:].any()


def test_the_mask_may_have_another_scale_than_the_photo() -> None:
    mask = np.zeros((450, 600), dtype=bool)
    mask[:225] = True
    seen = mask_as_seen(mask, (301, 225), WHOLE, 32)
    assert seen[:16].all()
    assert not seen[16:].any()


def test_a_lesion_larger_than_the_picture_covers_it() -> None:
    assert mask_as_seen(np.ones((50, 50), dtype=bool), (80, 80), WHOLE, 32).all()


def test_a_lesion_outside_the_seen_part_is_not_there() -> None:
    mask = np.zeros((100, 200), dtype=bool)
    mask[:, :40] = True
    assert not mask_as_seen(mask, (200, 100), (0.25, 0.0, 0.75, 1.0), 32).any()


def test_a_mask_of_another_aspect_is_refused() -> None:
    with pytest.raises(DataError, match="the mask is 600 × 450 and the photo 256 × 256 pixels"):
        mask_as_seen(np.ones((450, 600), dtype=bool), (256, 256), WHOLE, 32)
