from __future__ import annotations

import math

import numpy as np
import pytest

from drawn_lesions import ellipse
from lesionlens.tracker.change.contour import boundary, enclosed_area, length
from lesionlens.tracker.change.shape import shape_of


@pytest.mark.parametrize("radius", [8.0, 20.0, 60.0])
@pytest.mark.parametrize("offset", [0.0, 0.37])
def test_a_disc_has_the_perimeter_and_area_of_its_circle(radius: float, offset: float) -> None:
    edge = boundary(ellipse((160, 160), (80 + offset, 80 - offset), (radius, radius)))
    shape = shape_of(edge.polygon * 160)
    assert shape.perimeter == pytest.approx(2 * math.pi * radius, rel=0.03)
    assert shape.area == pytest.approx(math.pi * radius**2, rel=0.05)
    assert shape.compactness == pytest.approx(1.0, abs=0.03)
    assert shape.solidity > 0.98
    assert edge.on_picture_edge == 0.0


def test_the_perimeter_does_not_depend_on_the_direction_of_the_edges() -> None:
    lengths = [
        length(boundary(ellipse((256, 256), (128, 128), (90, 30), turn)).polygon * 256) for turn in (0, 20, 45, 71)
    ]
    assert max(lengths) / min(lengths) < 1.01


def test_a_picture_that_is_not_square_gives_shares_of_each_side() -> None:
    edge = boundary(ellipse((200, 100), (50, 50), (20, 20)))
    middle = edge.polygon.mean(axis=0)
    assert middle == pytest.approx([0.25, 0.5], abs=0.005)


def test_a_lesion_that_leaves_the_picture_is_closed_along_its_edge() -> None:
    edge = boundary(ellipse((100, 100), (0, 50), (40, 40)))
    # Half a disc: its diameter lies on the left edge of the picture.
    assert edge.on_picture_edge == pytest.approx(80 / (80 + math.pi * 40), abs=0.03)
    assert edge.polygon[:, 0].min() == pytest.approx(0.0, abs=0.01)
    assert enclosed_area(edge.polygon * 100) == pytest.approx(math.pi * 40**2 / 2, rel=0.04)


def test_a_mask_that_fills_the_picture_lies_on_its_edge_all_around() -> None:
    edge = boundary(np.ones((64, 64), dtype=bool))
    assert edge.on_picture_edge > 0.95
    assert enclosed_area(edge.polygon) == pytest.approx(1.0, abs=0.02)


def test_a_single_pixel_still_has_an_outline() -> None:
    mask = np.zeros((32, 32), dtype=bool)
    mask[10, 20] = True
    polygon = boundary(mask).polygon
    assert len(polygon) >= 3
    assert polygon.mean(axis=0) == pytest.approx([20.5 / 32, 10.5 / 32], abs=0.01)


def test_a_square_is_measured_by_hand() -> None:
    shape = shape_of(np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]))
    assert shape.area == 4.0
    assert shape.perimeter == 8.0
    assert shape.longest_diameter == pytest.approx(math.sqrt(8.0))
    assert shape.compactness == pytest.approx(4.0 / math.pi)
    assert shape.equivalent_diameter == pytest.approx(4.0 / math.sqrt(math.pi))
    assert shape.solidity == 1.0


def test_a_notch_lowers_solidity() -> None:
    shape = shape_of(np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.0, 2.0], [0.0, 4.0]]))
    assert shape.solidity == pytest.approx(0.75)


def test_a_line_encloses_nothing() -> None:
    with pytest.raises(ValueError, match="encloses no area"):
        shape_of(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))
