from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from drawn_lesions import SKIN, ellipse, photograph
from lesionlens import DISCLAIMER
from lesionlens.tracker.change import Change, Measures, Outline, align, compare, measure, register
from lesionlens.tracker.change.difference import Difference, Scale, differences_between
from lesionlens.tracker.change.growth import grow
from lesionlens.tracker.change.quantities import QUANTITIES
from lesionlens.tracker.change.repeatability import FACTOR, REPEATABILITY, is_clear, threshold
from lesionlens.tracker.change.rephotograph import Shot, rephotograph

DISC = ellipse((256, 256), (120, 136), (45, 35), 30.0)
PLAIN = Image.new("RGB", (256, 256), SKIN)


@pytest.fixture(scope="module")
def before() -> Image.Image:
    return photograph(DISC)


@pytest.fixture(scope="module")
def unchanged(before: Image.Image) -> Change:
    return compare(before, rephotograph(before, Shot(turn=25.0, zoom=1.15, shift=(0.02, 0.03)))[0])


@pytest.fixture(scope="module")
def grown(before: Image.Image) -> Change:
    # It grew by 35 % in diameter, and the camera was further away, so that it looks about as large as before.
    return compare(before, rephotograph(grow(before, DISC, 1.35), Shot(turn=-40.0, zoom=0.75))[0])


def difference(change: Change, name: str) -> Difference:
    return next(d for d in change.differences if d.name == name)


def test_every_quantity_is_a_measure_with_a_known_repeatability() -> None:
    assert [q.name for q in QUANTITIES] == list(REPEATABILITY)
    assert {q.name for q in QUANTITIES} <= {*Measures.__dataclass_fields__, "colour_count"}
    for clear in (True, False):
        assert all(threshold(n, clear) == FACTOR.of(clear) * r.of(clear) > 0.0 for n, r in REPEATABILITY.items())


def test_a_lesion_without_a_clear_border_must_change_more() -> None:
    assert is_clear(0.96, 0.99)
    assert not is_clear(0.94, 0.99)
    assert all(threshold(name, False) >= threshold(name, True) for name in REPEATABILITY)


def test_nothing_is_claimed_of_an_unchanged_lesion(unchanged: Change) -> None:
    assert not any(d.changed for d in unchanged.differences)
    assert unchanged.statements == (
        "No measured change is larger than what two photographs of an unchanged lesion may differ by.",
        DISCLAIMER,
    )


def test_sizes_are_at_the_scale_of_the_earlier_photograph(unchanged: Change) -> None:
    found = difference(unchanged, "area")
    assert found.before == pytest.approx(DISC.mean(), rel=0.1)
    assert found.relative == pytest.approx(0.0, abs=0.06)
    assert unchanged.after is not None
    assert unchanged.after.area == pytest.approx(found.before * 1.15**2, rel=0.08)


def test_growth_is_claimed_although_the_camera_was_further_away(grown: Change) -> None:
    found = difference(grown, "area")
    assert found.relative == pytest.approx(1.35**2 - 1.0, abs=0.15)
    assert found.changed
    assert any(s.startswith("The area is larger by ") for s in grown.statements)
    assert grown.statements[-1] == DISCLAIMER


def test_the_later_photograph_is_laid_on_the_earlier_one(before: Image.Image, unchanged: Change) -> None:
    assert unchanged.aligned.size == unchanged.blended.size == before.size
    middle = np.s_[60:200, 60:200]
    laid, earlier = (np.asarray(p, dtype=np.float64)[middle] for p in (unchanged.aligned, before))
    assert np.abs(laid - earlier).mean() < 6.0
    half = (np.asarray(unchanged.aligned, dtype=np.float64) + np.asarray(before)) / 2.0
    assert np.abs(np.asarray(unchanged.blended) - half).max() <= 1.0


def test_what_the_later_photograph_does_not_show_is_grey(before: Image.Image) -> None:
    registration = register(before, rephotograph(before, Shot(zoom=1.5))[0])
    assert registration.success
    laid = np.asarray(align(before, registration, before.size))
    assert (laid[2, 2] == 128).all()
    assert (laid[128, 128] != 128).any()


def test_large_photographs_are_laid_at_the_size_asked_for(before: Image.Image) -> None:
    large = before.resize((1500, 1500), Image.Resampling.BICUBIC)
    registration = register(large, before)
    laid = align(before, registration, large.size, 600)
    assert laid.size == (600, 600)
    expected = np.asarray(before.resize((600, 600), Image.Resampling.BICUBIC), dtype=np.float64)
    assert np.abs(np.asarray(laid) - expected)[20:-20, 20:-20].mean() < 6.0


@pytest.mark.parametrize("side", [700, 1501, 2048])  # 1501: the last averaged pixel is only partly covered
def test_a_later_photograph_of_many_pixels_is_laid_exactly(before: Image.Image, side: int) -> None:
    large = before.resize((side, side), Image.Resampling.BICUBIC)
    laid = align(large, register(before, large), before.size)
    assert laid.size == before.size
    one_off = np.roll(np.asarray(before, dtype=np.float64), 1, axis=1)
    here, beside = (
        np.abs(np.asarray(laid, dtype=np.float64) - p)[20:-20, 20:-20].mean()
        for p in (np.asarray(before, dtype=np.float64), one_off)
    )
    assert here < 4.0
    assert here < 0.6 * beside


def test_figures_do_not_depend_on_the_size_of_the_files(before: Image.Image, grown: Change) -> None:
    later, _ = rephotograph(grow(before, DISC, 1.35), Shot(turn=-40.0, zoom=0.75))
    large = [p.resize((1800, 1800), Image.Resampling.BICUBIC) for p in (before, later)]
    change = compare(*large)
    assert difference(change, "area").change == pytest.approx(difference(grown, "area").change, abs=0.03)
    assert change.before is not None
    assert grown.before is not None
    assert change.before.area_pixels == pytest.approx(grown.before.area_pixels * (1800 / 256) ** 2, rel=0.02)
    assert max(change.aligned.size) == 1024


def test_of_different_lesions_sizes_are_not_compared() -> None:
    change = compare(photograph(DISC, 1), photograph(ellipse((256, 256), (128, 128), (70, 70)), 2))
    assert not change.registration.success
    assert not difference(change, "area").comparable
    assert difference(change, "shape_asymmetry").comparable
    text = " ".join(change.statements)
    assert "could not be brought together" in text
    assert "Sizes cannot be compared" in text
    assert not any(s.startswith(("The area", "The longest", "The outline is")) for s in change.statements)


def test_a_ruler_makes_sizes_comparable_without_registration() -> None:
    small, large = DISC, ellipse((256, 256), (128, 128), (80, 62), 10.0)
    change = compare(photograph(small, 1), photograph(large, 2), before_mm_per_pixel=0.05, after_mm_per_pixel=0.05)
    found = difference(change, "area")
    assert found.comparable
    assert found.relative == pytest.approx(large.sum() / small.sum() - 1.0, rel=0.12)
    assert found.changed
    assert "Sizes cannot be compared" not in " ".join(change.statements)


def test_a_lesion_that_is_cut_off_is_not_compared_in_size() -> None:
    part = ellipse((256, 256), (20, 128), (60, 60))
    picture = photograph(part)
    change = compare(picture, picture, before_outline=Outline.from_mask(part), after_outline=Outline.from_mask(part))
    assert change.registration.success
    assert not difference(change, "area").comparable
    assert difference(change, "colour_spread").comparable
    assert any("reaches the edge" in s for s in change.statements)


def test_a_darker_lesion_is_said_to_be_darker(before: Image.Image) -> None:
    known = Outline.from_mask(DISC)
    darker = photograph(DISC, colour=(40, 20, 16))
    change = compare(before, darker, before_outline=known, after_outline=known)
    assert difference(change, "darkness").changed
    assert any(s.startswith("The colour is darker: ") and "L*" in s for s in change.statements)


def test_where_no_lesion_is_found_it_says_so(before: Image.Image) -> None:
    change = compare(before, PLAIN)
    assert change.differences == ()
    assert change.before is not None
    assert change.after is None
    assert change.statements[0].startswith("No lesion was found in the later photograph: ")
    assert change.statements[-1] == DISCLAIMER
    both = compare(PLAIN, PLAIN)
    assert both.before is None
    assert len(both.statements) == 3


def test_areas_are_compared_across_shapes_of_pictures() -> None:
    disc = Outline.from_mask(DISC)
    one = measure(photograph(DISC), disc)
    square = {d.name: d for d in differences_between(one, one, scale=Scale(2.0, 5.0), whole=True, clear=True)}
    assert square["area"].after == pytest.approx(5.0 * one.area)
    assert square["longest_diameter"].after == pytest.approx(2.0 * one.longest_diameter)
    assert square["compactness"].after == one.compactness


def test_a_wide_photograph_of_the_same_lesion_gives_the_same_area(before: Image.Image) -> None:
    wide = before.crop((0, 32, 256, 224))  # of 256 × 192, so that the lesion fills a larger share
    area = difference(compare(before, wide), "area")
    assert area.comparable
    assert area.relative == pytest.approx(0.0, abs=0.05)


def test_a_grown_lesion_covers_skin_and_leaves_the_rest(before: Image.Image) -> None:
    large, small = (np.asarray(grow(before, DISC, f), dtype=int) for f in (1.3, 0.7))
    far = ~ellipse((256, 256), (120, 136), (80, 70), 30.0)
    assert (large[far] == np.asarray(before)[far]).all()
    assert large[136, 120 + 45].mean() < 150  # skin before, lesion now
    assert small[136, 120 + 38].mean() > 170  # lesion before, skin now


def test_growing_by_one_changes_nothing_and_bad_factors_are_refused(before: Image.Image) -> None:
    assert np.abs(np.asarray(grow(before, DISC, 1.0), dtype=int) - np.asarray(before)).max() <= 1
    with pytest.raises(ValueError, match="accepted: 1/3 to 3"):
        grow(before, DISC, 4.0)
    with pytest.raises(ValueError, match="expected a mask of 256 × 256"):
        grow(before, np.zeros((256, 256), dtype=bool), 1.2)


def test_real_lesions_that_did_not_change_are_seldom_said_to_have(
    real_lesions: list[tuple[Image.Image, np.ndarray]],
) -> None:
    claimed = 0
    for i, (image, _) in enumerate(real_lesions[:10]):
        shot = Shot(turn=30.0 * i, zoom=1.1, gains=(1.05, 1.0, 0.97), blur=0.4, quality=80)
        claimed += any(d.changed for d in compare(image, rephotograph(image, shot)[0]).differences)
    assert claimed <= 2
