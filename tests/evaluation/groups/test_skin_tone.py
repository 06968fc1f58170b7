"""The skin that is found at the rim of a picture, and the angle that its colour gives."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from lesionlens.datasets import ImageSource, read_samples
from lesionlens.datasets.masks import MaskSource
from lesionlens.evaluation.groups.skin import border_skin
from lesionlens.evaluation.groups.tone import CAST, TONES, tone_classes, typology_angle
from lesionlens.imaging import decode
from lesionlens.imaging.cielab import to_cielab

SKINS = {"very_light": "#f0d5c0", "light": "#dcb497", "tan": "#b98a63", "brown": "#8f6543", "dark": "#4a3123"}
LESION, BLACK = "#3a2318", "#050505"


def angle_of(colour: str) -> float:
    lab = to_cielab(np.asarray(Image.new("RGB", (1, 1), colour)))[0, 0]
    return math.degrees(math.atan2(lab[0] - 50.0, lab[2]))


def photo(skin: str, size: tuple[int, int] = (300, 240)) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", size, skin)
    draw = ImageDraw.Draw(picture)
    draw.ellipse([size[0] * 0.3, size[1] * 0.25, size[0] * 0.7, size[1] * 0.8], fill=LESION)
    return picture, draw


def with_field(picture: Image.Image, share: float) -> Image.Image:
    """Leave a round field of the picture and blacken the rest, with the soft edge of a lens."""
    width, height = picture.size
    mask = Image.new("L", picture.size, 0)
    radius = share * max(picture.size) / 2
    ImageDraw.Draw(mask).ellipse(
        [width / 2 - radius, height / 2 - radius, width / 2 + radius, height / 2 + radius], fill=255
    )
    return Image.composite(picture, Image.new("RGB", picture.size, BLACK), mask.filter(ImageFilter.GaussianBlur(4)))


@pytest.mark.parametrize(("tone", "skin"), SKINS.items())
def test_the_lesion_does_not_tint_the_skin(tone: str, skin: str) -> None:
    angle = typology_angle(photo(skin)[0])
    assert angle == pytest.approx(angle_of(skin), abs=1.0)
    assert tone_classes(np.array([angle], dtype=np.float32)).tolist() == [tone]


@pytest.mark.parametrize("share", [0.6, 0.8, 1.0, 1.15])
@pytest.mark.parametrize("skin", SKINS.values())
def test_black_corners_and_round_fields_are_left_out(skin: str, share: float) -> None:
    assert typology_angle(with_field(photo(skin, (256, 256))[0], share)) == pytest.approx(angle_of(skin), abs=4.0)


def test_hair_ruler_and_glare_are_left_out() -> None:
    skin = SKINS["light"]
    picture, draw = photo(skin)
    for x in range(10, 300, 14):
        draw.line([x, 0, x + 30, 240], fill="#20140f", width=4)
    draw.line([0, 230, 300, 230], fill="#000000", width=3)
    draw.rectangle([0, 0, 40, 240], fill="white")
    assert typology_angle(picture) == pytest.approx(angle_of(skin), abs=4.0)


def test_a_lesion_that_reaches_the_rim_is_left_out() -> None:
    skin = SKINS["light"]
    picture, draw = photo(skin)
    draw.ellipse([150, 60, 420, 220], fill=LESION)
    assert typology_angle(picture) == pytest.approx(angle_of(skin), abs=2.0)


def test_the_size_of_the_picture_does_not_matter() -> None:
    picture = photo(SKINS["tan"], (1200, 900))[0]
    small = picture.resize((84, 63), Image.Resampling.BOX)
    assert typology_angle(small) == pytest.approx(typology_angle(picture), abs=1.0)


def test_without_skin_there_is_no_angle() -> None:
    assert border_skin(Image.new("RGB", (100, 100), "black")) is None
    assert math.isnan(typology_angle(Image.new("RGB", (100, 100), "white")))
    assert math.isnan(typology_angle(Image.new("RGB", (3, 3), SKINS["light"])))
    assert math.isnan(typology_angle(with_field(photo(SKINS["light"])[0], 0.12)))


def test_bluish_skin_has_no_class() -> None:
    angle = typology_angle(photo("#c8b8e0")[0])
    assert 90.0 < angle < 180.0
    assert tone_classes(np.array([angle, 90.0, -120.0], dtype=np.float32)).tolist() == [CAST] * 3


def test_the_limits_belong_to_the_darker_class() -> None:
    limits = np.array([89.9, 55.0, 41.0, 28.0, 10.0, -30.0], dtype=np.float32)
    assert tone_classes(limits).tolist() == [tone.key for tone in TONES]
    assert tone_classes(np.array([55.1, -29.9, np.nan], dtype=np.float32)).tolist() == ["very_light", "brown", ""]


def test_on_real_pictures_the_rim_agrees_with_the_skin_outside_the_lesion(shared_data: Path) -> None:
    source, masks = ImageSource(shared_data), MaskSource(shared_data)
    chosen = [s.image for s in read_samples(shared_data) if s.fold == 1 and s.image in masks][::90]
    errors = []
    for image in chosen:
        picture = decode(source.read(image)).image
        lab = to_cielab(np.asarray(picture))
        skin = lab[~ndimage.binary_dilation(masks.read(image), iterations=15) & (lab[..., 0] > 30)]
        if len(skin) > 0.1 * lab[..., 0].size:
            lightness, _, yellow = np.median(skin, axis=0)
            errors.append(abs(typology_angle(picture) - math.degrees(math.atan2(lightness - 50.0, yellow))))
    assert len(errors) >= 15
    assert np.median(errors) < 3.0
    assert np.quantile(errors, 0.9) < 10.0
