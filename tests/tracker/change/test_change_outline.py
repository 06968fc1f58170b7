from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from drawn_lesions import SKIN, dice, ellipse, photograph
from lesionlens.tracker.change import Outline, outline
from lesionlens.tracker.change.contour import enclosed_area
from lesionlens.tracker.change.pixels import Stage, load_stages
from lesionlens.tracker.change.skin import otsu, skin_colour
from lesionlens.tracker.change.working import working_size

DISC = ellipse((256, 256), (120, 136), (55, 40), 30.0)


def test_a_drawn_lesion_is_outlined() -> None:
    found = outline(photograph(DISC))
    assert found.found
    assert dice(found.mask, DISC) > 0.93
    assert found.confidence > 0.85
    assert found.cut_off == 0.0
    assert enclosed_area(found.polygon) == pytest.approx(DISC.mean(), rel=0.12)


def test_a_photograph_that_is_not_square_keeps_its_shape() -> None:
    mask = ellipse((800, 600), (430, 290), (130, 100))
    found = outline(photograph(mask))
    assert found.mask.shape == (192, 256)
    assert dice(found.mask, ellipse((256, 192), (137.6, 92.8), (41.6, 32.0))) > 0.9


def test_the_outline_does_not_depend_on_the_size_of_the_file() -> None:
    small = photograph(DISC)
    large = small.resize((2048, 2048), Image.Resampling.BICUBIC)
    assert dice(outline(small).mask, outline(large).mask) > 0.97


def test_plain_skin_has_no_lesion() -> None:
    found = outline(Image.new("RGB", (256, 256), SKIN))
    assert not found.found
    assert found.reason is not None
    assert not found.mask.any()
    assert found.polygon.shape == (0, 2)


def test_a_mask_from_outside_keeps_its_largest_piece_without_holes() -> None:
    mask = DISC.copy()
    mask[130:140, 115:125] = False
    mask[5:15, 5:15] = True
    found = Outline.from_mask(mask)
    assert (found.mask == DISC).all()
    assert found.confidence == 1.0


def test_an_empty_mask_is_no_lesion() -> None:
    assert Outline.from_mask(np.zeros((256, 256), dtype=bool)).reason == "no pixel belongs to the lesion"


def test_a_lesion_at_the_edge_is_said_to_be_cut_off() -> None:
    assert Outline.from_mask(ellipse((256, 256), (0, 128), (60, 60))).cut_off > 0.3


@pytest.mark.parametrize(
    ("size", "expected"), [((4000, 3000), (256, 192)), ((84, 84), (256, 256)), ((1, 1), (256, 256))]
)
def test_the_working_size_has_a_longer_side_of_256(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert working_size(*size) == expected


def test_pictures_that_are_no_photographs_are_refused() -> None:
    with pytest.raises(ValueError, match="too thin"):
        outline(Image.new("RGB", (900, 100)))
    with pytest.raises(ValueError, match="mode 'L'"):
        outline(Image.new("L", (256, 256)))


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_picture_of_one_shade_does_not_fail(shade: int) -> None:
    assert 0.0 <= outline(Image.new("RGB", (300, 200), (shade,) * 3)).confidence <= 1.0


def test_otsu_parts_two_heaps() -> None:
    values = np.concatenate([np.full(300, 2.0), np.full(100, 9.0)]).astype(np.float32)
    assert 2.0 < otsu(values) < 9.0
    assert otsu(np.full(10, 3.0, dtype=np.float32)) == 3.0


def test_skin_is_what_the_edges_show_most() -> None:
    lab = np.full((100, 100, 3), (70.0, 10.0, 20.0), dtype=np.float32)
    lab[20:80, 20:80] = (30.0, 20.0, 20.0)
    lab[:20, :20] = 0.0  # a dark corner
    assert skin_colour(lab) == pytest.approx([70.0, 10.0, 20.0])


def test_the_packaged_classifier_says_what_it_was_fitted_on_and_under_which_licence() -> None:
    stages = load_stages()
    assert "CC BY-NC 4.0" in stages.about
    assert '"folds": [2, 3, 4]' in stages.about


def test_a_stage_survives_being_kept() -> None:
    rng = np.random.default_rng(0)
    stage = Stage(
        rng.normal(size=4).astype(np.float32),
        rng.uniform(1, 2, 4).astype(np.float32),
        (rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(3, 1)).astype(np.float32)),
        (rng.normal(size=3).astype(np.float32), rng.normal(size=1).astype(np.float32)),
    )
    again = Stage.from_arrays(stage.arrays("first"), "first")
    features = rng.normal(size=(5, 6, 4)).astype(np.float32)
    assert again(features).shape == (5, 6)
    assert np.abs(again(features) - stage(features)).max() < 0.01


def test_real_lesions_are_outlined_as_people_outline_them(real_lesions: list[tuple[Image.Image, np.ndarray]]) -> None:
    overlaps = [dice(outline(image).mask, mask) for image, mask in real_lesions]
    assert np.mean(overlaps) >= 0.85
    assert np.median(overlaps) >= 0.90
