"""The numbers that detectors and advice are made of."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from lesionlens.imaging.appearance import BANDS, STATISTICS, SURROUND, measure
from lesionlens.imaging.cielab import to_cielab
from synthetic import lesion

SKIN, PIGMENT = (214, 170, 150), (100, 60, 45)


def mole(size: int = 256) -> Image.Image:
    picture = Image.new("RGB", (size, size), SKIN)
    ImageDraw.Draw(picture).ellipse([size * 0.28, size * 0.28, size * 0.72, size * 0.72], fill=PIGMENT)
    return picture


def lab(colour: tuple[int, int, int]) -> np.ndarray:
    return to_cielab(np.array(colour, dtype=np.uint8))


def test_every_statistic_has_a_name() -> None:
    look = measure(np.asarray(mole()))
    assert look.statistics.shape == (len(STATISTICS),)
    assert STATISTICS[BANDS] == ("power_1", "power_2", "power_4", "power_8", "power_16", "power_32")
    assert STATISTICS[SURROUND] == ("surround_l", "surround_a", "surround_b")
    assert look["radial"] == pytest.approx(float(look.statistics[STATISTICS.index("radial")]))


def test_border_and_middle_have_their_colours() -> None:
    look = measure(np.asarray(mole()))
    assert [look[f"surround_{c}"] for c in "lab"] == pytest.approx(lab(SKIN), abs=0.1)
    assert look["centre_l"] < -10  # half of the middle is mole
    assert look["contrast_border"] < 0.1
    assert look["radial"] < -0.5
    assert look["axis_a"] < 0  # pigment is redder than skin, so redness falls towards light


def test_a_round_field_of_view_does_not_hide_the_skins_colour() -> None:
    tube, hole = Image.new("RGB", (256, 256)), Image.new("L", (256, 256))
    ImageDraw.Draw(hole).ellipse([30, 30, 225, 225], fill=255)
    tube.paste(mole(), mask=hole)
    look = measure(np.asarray(tube))
    assert look.dark_corners > 0.4
    assert [look[f"surround_{c}"] for c in "lab"] == pytest.approx(lab(SKIN), abs=3.0)


@pytest.mark.parametrize(("cycles", "name"), [(3, "power_2"), (6, "power_4"), (24, "power_16"), (45, "power_32")])
def test_stripes_show_in_their_octave(cycles: int, name: str) -> None:
    wave = np.sin(2 * np.pi * cycles * np.arange(128) / 128)
    pixels = np.rint(128 + 80 * wave)[None, :, None].repeat(128, axis=0).repeat(3, axis=2).astype(np.uint8)
    look = measure(pixels)
    powers = {n: look[n] for n in STATISTICS[BANDS]}
    assert max(powers, key=lambda n: powers[n]) == name
    # Parseval: a sine of amplitude 80/255 has half its square as power, here seen from one half of the spectrum.
    assert 10 ** powers[name] == pytest.approx((80 / 255) ** 2 / 4, rel=0.2)


def test_turning_a_picture_over_changes_nothing() -> None:
    picture = lesion(0, 4, (200, 200))
    one, other = measure(np.asarray(picture)), measure(np.asarray(ImageOps.mirror(picture)))
    assert one.statistics == pytest.approx(other.statistics, abs=0.02)


def test_thin_dark_lines_are_told_from_thick_ones() -> None:
    thin, thick = (Image.new("RGB", (256, 256), SKIN) for _ in range(2))
    for picture, width in ((thin, 3), (thick, 40)):
        draw = ImageDraw.Draw(picture)
        for x in (60, 150):
            draw.line([(x, 0), (x + 20, 255)], fill="black", width=width)
    assert measure(np.asarray(thin)).thin_lines > 0.02
    assert measure(np.asarray(thick)).thin_lines < 0.005


@pytest.mark.parametrize("value", [0, 1, 254, 255])
@pytest.mark.parametrize("side", [32, 208])
def test_flat_pictures_have_finite_numbers(value: int, side: int) -> None:
    look = measure(np.full((side, side, 3), value, dtype=np.uint8))
    assert np.isfinite(look.statistics).all()
    assert look.thin_lines == 0.0
