"""Advice on photos: given when it is due, and seldom on photos that dermatologists took."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFilter

from lesionlens.imaging.preprocess import PreprocessSpec, denormalise, fit_image, normalise
from lesionlens.imaging.quality import assess

Pixels = npt.NDArray[np.uint8]
SPEC = PreprocessSpec(size=208)


@pytest.fixture(scope="module")
def photos(real_sample: dict[str, bytes]) -> list[Image.Image]:
    """Eight real pictures, one of each diagnosis."""
    return [Image.open(io.BytesIO(data)).convert("RGB") for data in real_sample.values()]


def seen(photo: Image.Image, size: int = 208) -> Pixels:
    return fit_image(photo, SPEC.model_copy(update={"size": size}))


def codes(photo: Image.Image) -> set[str]:
    return {hint.code for hint in assess(seen(photo), min(photo.size)).hints}


def scaled(photo: Image.Image, factors: tuple[float, float, float]) -> Image.Image:
    return photo.point([min(255, round(v * f)) for f in factors for v in range(256)])


def test_real_photos_of_every_diagnosis_get_no_advice(photos: list[Image.Image]) -> None:
    assert [sorted(codes(photo)) for photo in photos] == [[]] * 8


@pytest.mark.parametrize("tar", ["ham10000_256.tar", "msk_512.tar", "bcn20000_84.tar"])
def test_advice_is_seldom_on_real_photos_of_any_resolution(
    tar: str, fold_rows: dict[str, dict[str, str]], real_image: Callable[[str], bytes]
) -> None:
    names = [name for name, row in fold_rows.items() if row["tar"] == tar and row["fold"] == "1"]
    names = names[:: len(names) // 25][:25]
    found = [codes(Image.open(io.BytesIO(real_image(name))).convert("RGB")) for name in names]
    assert len(found) == 25
    assert sum("blurred" in hints for hints in found) <= 1
    assert sum(bool(hints) for hints in found) <= 5


def spoilt(photo: Image.Image, how: str) -> Image.Image:
    match how:
        case "blurred":
            return photo.filter(ImageFilter.GaussianBlur(min(photo.size) * 0.03))
        case "dark":
            return scaled(photo, (0.3, 0.3, 0.3))
        case "bright":
            return Image.blend(photo, Image.new("RGB", photo.size, "white"), 0.75)
        case "glare":
            white = photo.copy()
            ImageDraw.Draw(white).ellipse([0, 0, photo.width // 3, photo.height // 3], fill="white")
            return white
        case "colour_cast":
            return scaled(photo, (0.55, 1.0, 0.6))
        case "dark_corners":
            tube = Image.new("RGB", photo.size, "black")
            hole = Image.new("L", photo.size, 0)
            side = min(photo.size) * 0.28
            middle = (photo.width / 2, photo.height / 2)
            ImageDraw.Draw(hole).ellipse(
                [middle[0] - side, middle[1] - side, middle[0] + side, middle[1] + side], fill=255
            )
            tube.paste(photo, mask=hole)
            return tube
    hairy = photo.copy()
    draw, rng = ImageDraw.Draw(hairy), np.random.default_rng(3)
    for _ in range(70):
        line = rng.uniform(0, min(photo.size), 4).tolist()
        draw.line(line, fill=(25, 15, 10), width=max(1, min(photo.size) // 110))
    return hairy


@pytest.mark.parametrize("how", ["blurred", "dark", "bright", "glare", "colour_cast", "dark_corners", "thin_lines"])
def test_each_fault_is_named(photos: list[Image.Image], how: str) -> None:
    found = [how in codes(spoilt(photo, how)) for photo in photos]
    assert sum(found) >= 7, found


def test_a_thumbnail_is_called_small(photos: list[Image.Image]) -> None:
    assert codes(photos[1].resize((60, 60))) >= {"small"}
    assert "small" not in codes(photos[1].resize((84, 84)))


def test_advice_is_a_sentence_for_a_person(photos: list[Image.Image]) -> None:
    hints = [h for how in ("blurred", "dark", "thin_lines") for h in assess(seen(spoilt(photos[0], how)), 512).hints]
    assert hints
    for hint in hints:
        assert hint.message[0].isupper()
        assert hint.message.endswith(".")
        assert hint.code not in hint.message or " " not in hint.code


def test_the_networks_input_size_hardly_matters(photos: list[Image.Image]) -> None:
    for photo in photos:
        small, large = (assess(seen(photo, size), min(photo.size)) for size in (208, 456))
        assert small.sharpness == pytest.approx(large.sharpness, abs=0.1)
        assert small.brightness == pytest.approx(large.brightness, abs=1.0)
        assert small.hints == large.hints


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_has_finite_numbers_and_counts_as_blurred(value: int) -> None:
    quality = assess(np.full((64, 64, 3), value, dtype=np.uint8), 640)
    numbers = [quality.sharpness, quality.brightness, quality.overexposed, quality.colour_cast]
    assert np.isfinite(numbers).all()
    assert "blurred" in {hint.code for hint in quality.hints}
    assert quality.overexposed == (1.0 if value == 255 else 0.0)


@pytest.mark.parametrize("mean", [(0.5, 0.5, 0.5), (0.485, 0.456, 0.406)])
def test_the_networks_input_gives_its_pixels_back(mean: tuple[float, float, float]) -> None:
    spec = PreprocessSpec(size=32, mean=mean, std=(0.229, 0.224, 0.225))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    assert np.array_equal(denormalise(normalise(pixels, spec), spec), pixels)
