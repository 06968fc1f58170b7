from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from drawn_lesions import BROWN, ellipse, photograph
from lesionlens.imaging.cielab import to_cielab
from lesionlens.tracker.change import Outline, measure
from lesionlens.tracker.change.asymmetry import asymmetry_of
from lesionlens.tracker.change.colours import COLOUR_NAMES, colours_of, skin_around

FLAT = np.zeros((256, 256, 3), dtype=np.float32)
DISC = ellipse((256, 256), (128, 128), (50, 50))
REFERENCE = {
    "white": (197, 188, 217),
    "red": (118, 21, 17),
    "light brown": (163, 82, 16),
    "dark brown": (135, 44, 5),
    "blue-grey": (113, 108, 139),
    "black": (41, 31, 30),
}


def painted(mask: np.ndarray, inside: tuple[int, int, int], outside: tuple[int, int, int]) -> np.ndarray:
    return to_cielab(np.where(mask[..., None], inside, outside).astype(np.uint8))


@pytest.mark.parametrize("turn", [0.0, 33.0, 90.0])
def test_an_ellipse_is_symmetric_however_it_lies(turn: float) -> None:
    found = asymmetry_of(FLAT, ellipse((256, 256), (110, 140), (70, 30), turn))
    assert found.shape < 0.02
    assert found.colour == 0.0


def test_a_half_disc_is_symmetric_about_one_axis_only() -> None:
    half = DISC & (np.arange(256) >= 128)
    assert 0.05 < asymmetry_of(FLAT, half).shape < 0.25


def test_a_lesion_of_two_colours_is_as_asymmetric_as_they_differ() -> None:
    lab = FLAT.copy()
    mask = ellipse((256, 256), (128, 128), (80, 40))
    lab[:, 128:, 0] = 20.0  # the right half is 20 L* lighter: folding the long way finds it, the short way does not
    assert asymmetry_of(lab, mask).colour == pytest.approx(10.0, abs=0.7)


def test_asymmetry_does_not_depend_on_size() -> None:
    large, small = (
        asymmetry_of(FLAT, ellipse((256, 256), (128, 128), (r, r)) & (np.arange(256) >= 128)) for r in (100, 25)
    )
    assert large.shape == pytest.approx(small.shape, abs=0.03)


def test_the_spread_of_two_colours_in_equal_parts_is_half_their_distance() -> None:
    lab = FLAT.copy()
    lab[:, 128:, 1] = 12.0
    assert colours_of(lab, DISC, None).spread == pytest.approx(6.0, abs=0.2)


def test_darkness_and_contrast_are_against_the_skin() -> None:
    lab = FLAT + np.array([70.0, 10.0, 15.0], dtype=np.float32)
    lab[DISC] = [40.0, 10.0, 55.0]
    skin = skin_around(lab, DISC)
    assert skin is not None
    assert skin == pytest.approx([70.0, 10.0, 15.0])
    found = colours_of(lab, DISC, skin)
    assert found.darkness == pytest.approx(30.0, abs=0.01)
    assert found.contrast == pytest.approx(50.0, abs=0.01)


@pytest.mark.parametrize("name", COLOUR_NAMES)
def test_each_reference_colour_is_named(name: str) -> None:
    assert colours_of(painted(DISC, REFERENCE[name], (150, 200, 150)), DISC, None).names == (name,)


def test_a_colour_that_covers_little_does_not_count() -> None:
    mask = np.ones((100, 100), dtype=bool)
    image = np.full((100, 100, 3), REFERENCE["dark brown"], dtype=np.uint8)
    image[:20, :20] = REFERENCE["black"]  # 4 %
    assert colours_of(to_cielab(image), mask, None).names == ("dark brown",)
    image[:30, :30] = REFERENCE["black"]  # 9 %
    assert colours_of(to_cielab(image), mask, None).names == ("dark brown", "black")


def test_colours_are_named_as_if_the_skin_were_that_of_the_other_photograph() -> None:
    lab = painted(DISC, REFERENCE["light brown"], (224, 182, 160))
    shift = to_cielab(np.array(REFERENCE["black"], dtype=np.uint8)) - lab[128, 128]
    assert colours_of(lab, DISC, None, shift).names == ("black",)


def test_a_picture_full_of_lesion_shows_no_skin() -> None:
    mask = np.ones((256, 256), dtype=bool)
    measures = measure(Image.new("RGB", (256, 256), BROWN), Outline.from_mask(mask))
    assert measures.contrast is None
    assert measures.darkness is None
    assert measures.area == pytest.approx(1.0, abs=0.01)


def test_sizes_in_shares_pixels_and_millimetres_agree() -> None:
    image = photograph(DISC).resize((1024, 1024))
    found = measure(image, Outline.from_mask(DISC), mm_per_pixel=0.01)
    assert found.equivalent_diameter == pytest.approx(100 / 256, rel=0.01)
    assert found.area == pytest.approx(math.pi * 50**2 / 256**2, rel=0.02)
    assert found.area_pixels == pytest.approx(math.pi * 200**2, rel=0.02)
    assert found.equivalent_diameter_mm == pytest.approx(4.0, rel=0.01)
    assert found.longest_diameter_mm == pytest.approx(4.0, rel=0.02)
    assert found.area_mm2 == pytest.approx(math.pi * 2.0**2, rel=0.02)


def test_without_a_scale_there_are_no_millimetres() -> None:
    found = measure(photograph(DISC), Outline.from_mask(DISC))
    assert (found.area_mm2, found.equivalent_diameter_mm, found.longest_diameter_mm) == (None, None, None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: measure(i, Outline.none_found((256, 256), "all is skin")), "nothing to measure: all is skin"),
        (lambda i: measure(i, Outline.from_mask(DISC), mm_per_pixel=0.0), "accepted: a number above 0"),
        (lambda i: measure(i, Outline.from_mask(DISC), mm_per_pixel=math.nan), "accepted: a number above 0"),
        (lambda i: measure(i.resize((300, 150)), Outline.from_mask(DISC)), "expected the outline of this picture"),
    ],
)
def test_what_cannot_be_measured_is_refused(call: Callable[[Image.Image], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(photograph(DISC))
