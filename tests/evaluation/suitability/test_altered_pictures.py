"""Dermoscopic pictures spoilt on purpose: changed as they should be, and nowhere else."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from lesionlens.datasets.masks import MaskSource
from lesionlens.evaluation.suitability.altered import (
    BLURS,
    CASTS,
    MOST_LESION,
    blurred,
    in_coloured_light,
    without_lesion,
)
from lesionlens.imaging.appearance import measure

RNG = np.random.default_rng(0)
SKIN = (214, 170, 150)


def mole(side: int = 120) -> tuple[Image.Image, np.ndarray]:
    box = [side * 0.35, side * 0.35, side * 0.65, side * 0.65]
    noise = np.random.default_rng(1).normal(SKIN, 4, (side, side, 3))
    picture = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(picture).ellipse(box, fill=(90, 50, 40))
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return picture, np.asarray(mask) > 0


def test_a_lesion_is_replaced_by_skin_and_the_rest_is_left_alone() -> None:
    picture, mask = mole()
    result = without_lesion(picture, mask, RNG)
    assert result is not None
    before, after = np.asarray(picture, dtype=float), np.asarray(result, dtype=float)
    assert after[mask].mean(axis=0) == pytest.approx(SKIN, abs=4)
    assert after[mask].std(axis=0) == pytest.approx([4, 4, 4], abs=2)  # the skin's texture goes on
    far = np.asarray(Image.fromarray(mask).convert("L").filter(ImageFilter.MaxFilter(25))) == 0
    assert np.array_equal(before[far], after[far])


def test_a_lesion_that_fills_the_picture_is_left_out() -> None:
    picture, _ = mole()
    mask = np.zeros((120, 120), dtype=bool)
    mask[: int(120 * MOST_LESION)] = True
    assert without_lesion(picture, mask, RNG) is None


def test_a_mask_of_another_size_is_scaled() -> None:
    picture, mask = mole(120)
    small = np.asarray(Image.fromarray(mask).resize((40, 40), Image.Resampling.NEAREST))
    result = without_lesion(picture, small, RNG)
    assert result is not None
    assert result.size == picture.size
    assert np.asarray(result)[mask].mean(axis=0) == pytest.approx(SKIN, abs=4)


def test_on_real_pictures_nothing_stands_out_afterwards(shared_data: Path, real_image: Callable[[str], bytes]) -> None:
    masks = MaskSource(shared_data)
    for name in ("ISIC_0024306", "ISIC_0024973", "ISIC_0024418"):
        picture = Image.open(io.BytesIO(real_image(name))).convert("RGB")
        result = without_lesion(picture, masks.read(name), RNG)
        if result is None:
            continue
        before, after = (measure(np.asarray(p)) for p in (picture, result))
        assert after["power_2"] < before["power_2"]
        assert after["contrast_95"] < before["contrast_95"]


def test_blur_grows_with_severity() -> None:
    picture, _ = mole(240)
    powers = [measure(np.asarray(p))["power_16"] for p in (picture, *(blurred(picture, s) for s in sorted(BLURS)))]
    assert powers == sorted(powers, reverse=True)
    assert powers[0] - powers[-1] > 1


@pytest.mark.parametrize("cast", CASTS)
def test_coloured_light_scales_the_channels(cast: str) -> None:
    picture = Image.new("RGB", (4, 4), (200, 100, 50))
    assert in_coloured_light(picture, cast).getpixel((0, 0)) == tuple(
        round(v * f) for v, f in zip((200, 100, 50), CASTS[cast], strict=True)
    )
