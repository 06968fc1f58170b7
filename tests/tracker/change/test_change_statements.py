from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from drawn_lesions import ellipse, photograph
from lesionlens.tracker.change import Outline, Registration, measure
from lesionlens.tracker.change.affine import identity
from lesionlens.tracker.change.details import band_passed
from lesionlens.tracker.change.difference import Scale, differences_between
from lesionlens.tracker.change.refine import refine
from lesionlens.tracker.change.registration import Method
from lesionlens.tracker.change.statements import describe_change, describe_scale

DISC = ellipse((256, 256), (128, 128), (50, 50))
ONE = measure(photograph(DISC), Outline.from_mask(DISC))
SAME_SCALE = Scale(1.0, 1.0)


def registered(method: Method, success: bool) -> Registration:
    return Registration(identity(), method, success, None if success else "too dark", 20, 0.5, (256, 256), (256, 256))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"area": 2.0 * ONE.area}, "The area is larger by 100%; photographs of an unchanged lesion may differ by "),
        ({"area": 0.5 * ONE.area}, "The area is smaller by 50%; "),
        ({"compactness": 3.0 * ONE.compactness}, "The border is more irregular by 200%; "),
        ({"solidity": ONE.solidity - 0.4}, "The border is more notched: "),
        ({"colour_spread": ONE.colour_spread + 20.0}, "The colouring is more varied: "),
        ({"colours": ("white", "red", "black", "light brown")}, "The number of colours is higher: "),
    ],
)
def test_each_change_is_said_in_its_own_words(changed: dict[str, float], sentence: str) -> None:
    later = dataclasses.replace(ONE, **changed)
    said = describe_change(differences_between(ONE, later, scale=SAME_SCALE, whole=True, clear=True))
    assert len(said) == 1
    assert said[0].startswith(sentence)
    assert "may differ by" in said[0]


def test_where_nothing_can_be_compared_it_does_not_say_that_nothing_changed() -> None:
    assert describe_change([]) == ["Nothing could be compared."]


def test_colours_without_skin_around_them_are_left_out() -> None:
    bare = dataclasses.replace(ONE, contrast=None, darkness=None)
    names = [d.name for d in differences_between(bare, ONE, scale=SAME_SCALE, whole=True, clear=True)]
    assert "contrast" not in names
    assert "darkness" not in names
    assert "area" in names


def test_a_scale_from_the_lesion_itself_is_said_to_hide_even_growth() -> None:
    [said] = describe_scale(registered("details", True), by_ruler=False, cut_off=False)
    assert "growth that stretches it evenly would not show" in said
    assert describe_scale(registered("details", True), by_ruler=True, cut_off=False) == []
    assert describe_scale(registered("skin", True), by_ruler=False, cut_off=False) == []


def test_a_failed_registration_says_why_and_what_is_shown_instead() -> None:
    said = describe_scale(registered("none", False), by_ruler=False, cut_off=True)
    assert "too dark; they are shown as they are" in said[0]
    assert "Sizes cannot be compared" in said[1]
    assert "reaches the edge" in said[2]
    [approximate] = describe_scale(registered("outline", False), by_ruler=True, cut_off=False)
    assert "which is approximate" in approximate


def test_where_there_are_no_details_refining_changes_nothing() -> None:
    flat, everywhere = np.zeros((256, 256), dtype=np.float32), np.ones((256, 256), dtype=bool)
    assert (refine((flat, flat), (everywhere, everywhere), identity()) == identity()).all()


def test_refining_ends_on_the_right_place_from_a_pixel_beside_it() -> None:
    details = band_passed(np.asarray(photograph(DISC)))
    everywhere = np.ones((256, 256), dtype=bool)
    beside = identity() + np.array([[0.0, 0.0, 1.2], [0.0, 0.0, -0.8]])
    assert refine((details, details), (everywhere, everywhere), beside) == pytest.approx(identity(), abs=0.02)
