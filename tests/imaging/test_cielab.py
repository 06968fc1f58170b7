"""sRGB to CIELAB, against published values."""

from __future__ import annotations

import numpy as np
import pytest

from lesionlens.imaging.cielab import to_cielab


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [  # Lindbloom's CIE colour calculator: sRGB, D65, no adaptation
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((119, 119, 119), (50.03, 0.0, 0.0)),
    ],
)
def test_known_colours(rgb: tuple[int, ...], lab: tuple[float, ...]) -> None:
    assert to_cielab(np.array(rgb, dtype=np.uint8)) == pytest.approx(lab, abs=0.03)


def test_a_picture_keeps_its_shape_and_greys_are_grey() -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    lab = to_cielab(greys)
    assert lab.shape == (16, 16, 3)
    assert lab.dtype == np.float32
    assert np.abs(lab[..., 1:]).max() < 1e-3
    assert (np.diff(lab[..., 0].ravel()) > 0).all()
