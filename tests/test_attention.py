"""The heatmap lies where the map is hot, in the part that the network saw, at the size asked for."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lesionlens.attention import heat_on_photo, jet, overlay, overlay_png, scale_to_unit

HOT_CORNER = np.zeros((7, 7), dtype=np.float32)
HOT_CORNER[0, 0] = 3.0


def test_scaling_keeps_order_and_spans_zero_to_one() -> None:
    scaled = scale_to_unit(np.array([[1.0, 2], [3, 5]], dtype=np.float32))
    np.testing.assert_allclose(scaled, [[0, 0.25], [0.5, 1]])


@pytest.mark.parametrize("value", [0.0, 2.5, np.nan, np.inf])
def test_a_map_that_shows_nothing_gives_no_heat(value: float) -> None:
    assert not scale_to_unit(np.full((3, 3), value, dtype=np.float32)).any()


def test_jet_runs_from_blue_over_green_to_red() -> None:
    assert jet(np.array([0.0, 0.5, 1.0], dtype=np.float32)).tolist() == [[0, 0, 128], [128, 255, 128], [128, 0, 0]]


def test_heat_falls_where_the_map_is_hot() -> None:
    heat = heat_on_photo(HOT_CORNER, (140, 70))
    assert heat.shape == (70, 140)
    assert np.unravel_index(heat.argmax(), heat.shape) < (10, 20)
    assert heat[35:, 70:].max() == 0.0


def test_heat_stays_in_the_part_that_was_seen() -> None:
    heat = heat_on_photo(HOT_CORNER, (200, 100), (0.25, 0.0, 0.75, 1.0))
    assert heat[:, :50].max() == 0.0
    assert heat[:, 150:].max() == 0.0
    assert heat[:14, 50:64].max() > 0.9


@pytest.mark.parametrize(
    ("size", "max_side", "expected"),
    [
        ((600, 450), 512, (512, 384)),
        ((300, 200), 512, (300, 200)),
        ((3, 4000), 512, (1, 512)),
        ((80, 90), None, (80, 90)),
    ],
)
def test_the_overlay_keeps_the_aspect_and_is_never_enlarged(
    size: tuple[int, int], max_side: int | None, expected: tuple[int, int]
) -> None:
    assert overlay(Image.new("RGB", size), HOT_CORNER, max_side=max_side).size == expected


def test_the_blend_is_six_parts_photo_and_four_parts_heat() -> None:
    photo = Image.new("RGB", (70, 70), (200, 100, 50))
    pixels = np.asarray(overlay(photo, HOT_CORNER)).astype(int)
    assert np.abs(pixels[-1, -1] - (0.6 * np.array([200, 100, 50]) + 0.4 * np.array([0, 0, 128]))).max() <= 1
    assert np.abs(pixels[0, 0] - (0.6 * np.array([200, 100, 50]) + 0.4 * np.array([128, 0, 0]))).max() <= 3


def test_the_png_is_the_overlay() -> None:
    photo = Image.new("RGB", (70, 50), "tan")
    decoded = Image.open(io.BytesIO(overlay_png(photo, HOT_CORNER)))
    assert decoded.format == "PNG"
    assert np.array_equal(np.asarray(decoded), np.asarray(overlay(photo, HOT_CORNER)))
