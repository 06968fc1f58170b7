"""Pictures of anything but skin: drawn from a seed, or found in installed packages."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lesionlens.evaluation.suitability.made import FAMILIES, SIDE
from lesionlens.evaluation.suitability.packaged import Packaged, crops, package_versions, packaged


@pytest.mark.parametrize("family", FAMILIES)
def test_drawn_pictures_are_many_and_repeatable(family: str) -> None:
    draw = FAMILIES[family]
    pictures = [draw(np.random.default_rng([0, i])) for i in range(12)]
    assert {(p.size, p.mode) for p in pictures} == {((SIDE, SIDE), "RGB")}
    assert len({p.tobytes() for p in pictures}) >= 11  # flat black may come twice
    assert draw(np.random.default_rng([0, 3])).tobytes() == pictures[3].tobytes()


def test_photos_of_installed_packages_are_found() -> None:
    found = {picture.name: picture.image for picture in packaged("photo")}
    assert {"sklearn/china", "sklearn/flower", "matplotlib/grace_hopper"} <= found.keys()
    assert all(image.mode == "RGB" and min(image.size) >= 100 for image in found.values())
    assert {"scikit-learn", "matplotlib"} <= package_versions().keys()


def test_transparent_drawings_lie_on_white() -> None:
    logo = next(p.image for p in packaged("graphic") if p.name == "matplotlib/logo2")
    assert logo.getpixel((0, 0)) == (255, 255, 255)


def test_crops_are_squares_of_the_picture() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 160, 3)).astype(np.uint8))
    whole, *parts = crops(Packaged("a/b", image), 9, np.random.default_rng(1))
    assert whole.image is image
    assert len(parts) == 8
    for part in parts:
        assert part.name == "a/b"
        assert part.image.width == part.image.height
        assert 40 <= part.image.width <= 100
    again = [c.image.tobytes() for c in crops(Packaged("a/b", image), 9, np.random.default_rng(1))]
    assert again == [c.image.tobytes() for c in (whole, *parts)]
