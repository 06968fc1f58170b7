"""Preprocessing: which part of the picture the network sees, and in what numbers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import noise, quadrants
from PIL import Image
from pydantic import ValidationError

from lesionlens.imaging.preprocess import PreprocessSpec, crop_box, fit_image, normalise, preprocess

CROP = PreprocessSpec(size=32)
SQUASH = PreprocessSpec(size=32, fit="squash")
length = st.integers(1, 20_000)


@given(length, length)
def test_center_crop_is_the_largest_centred_square(width: int, height: int) -> None:
    left, top, right, bottom = crop_box(width, height, CROP)
    assert right - left == bottom - top == min(width, height)
    assert left >= 0
    assert top >= 0
    assert right <= width
    assert bottom <= height
    assert abs(left - (width - right)) <= 1
    assert abs(top - (height - bottom)) <= 1


@given(length, length)
def test_squash_takes_the_whole_picture(width: int, height: int) -> None:
    assert crop_box(width, height, SQUASH) == (0, 0, width, height)


def test_center_crop_drops_the_ends_that_squash_keeps() -> None:
    image = Image.new("RGB", (300, 100), "black")
    image.paste("white", (0, 0, 100, 100))
    assert fit_image(image, CROP)[:, 1:].max() == 0  # the filter of the first column reaches a little over the edge
    assert fit_image(image, SQUASH)[:, :8].min() == 255


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    size=st.integers(32, 96),
    fit=st.sampled_from(["center_crop", "squash"]),
    interpolation=st.sampled_from(["bilinear", "bicubic", "lanczos"]),
)
def test_every_picture_becomes_a_contiguous_tensor_in_range(
    width: int, height: int, size: int, fit: str, interpolation: str
) -> None:
    spec = PreprocessSpec(size=size, fit=fit, interpolation=interpolation)
    tensor = preprocess(noise(width, height), spec)
    assert tensor.shape == (3, size, size)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    low = (0.0 - np.array(spec.mean)) / spec.std
    high = (1.0 - np.array(spec.mean)) / spec.std
    assert (tensor.min(axis=(1, 2)) >= low - 1e-5).all()
    assert (tensor.max(axis=(1, 2)) <= high + 1e-5).all()


def test_normalise_is_the_textbook_formula_for_one_picture_or_many() -> None:
    batch = np.random.default_rng(1).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    expected = ((batch / 255.0 - CROP.mean) / CROP.std).transpose(0, 3, 1, 2)
    assert np.abs(normalise(batch, CROP) - expected).max() < 1e-5
    assert np.array_equal(normalise(batch[1], CROP), normalise(batch, CROP)[1])


def test_channels_stay_in_order() -> None:
    means = preprocess(Image.new("RGB", (50, 50), (255, 128, 0)), CROP).mean(axis=(1, 2))
    assert means == pytest.approx([(1 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, -0.406 / 0.225], abs=1e-4)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos"])
def test_shrinking_averages_fine_detail_instead_of_sampling_it(interpolation: str) -> None:
    stripes = np.zeros((512, 512, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    seen = fit_image(Image.fromarray(stripes), PreprocessSpec(size=64, interpolation=interpolation))
    inner = seen[:, 4:-4].astype(int)
    assert np.abs(inner - 127.5).max() < 4


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    image = noise(32, 32)
    assert np.array_equal(fit_image(image, CROP), np.asarray(image))


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK", "P"])
def test_only_rgb_is_taken(mode: str) -> None:
    with pytest.raises(ValueError, match=f"expected an RGB picture, got mode '{mode}'"):
        preprocess(quadrants().convert(mode), CROP)


@pytest.mark.parametrize(
    "wrong", [{"size": 8}, {"size": 32, "fit": "stretch"}, {"size": 32, "std": (1, 0, 1)}, {"side": 3}]
)
def test_a_wrong_spec_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PreprocessSpec(**wrong)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("fit", ["center_crop", "squash"])
@pytest.mark.parametrize("side", [1024, 1501, 2000])
@pytest.mark.parametrize("size", [224, 455, 456])
def test_a_picture_made_in_halves_has_the_same_pixels(interpolation: str, fit: str, side: int, size: int) -> None:
    noise = np.random.default_rng(side).integers(0, 256, (side, side + 333, 3), dtype=np.uint8)
    spec = PreprocessSpec.model_validate({"size": size, "fit": fit, "interpolation": interpolation})
    image = Image.fromarray(noise)
    with ThreadPoolExecutor(1) as helpers:
        assert np.array_equal(fit_image(image, spec, helpers=helpers), fit_image(image, spec))
