"""The Lesion view, as a person uses it: its photos over time, what changed, and its upkeep."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe import violations
from contrast import CONTRAST
from kept import PHOTO, Kept, assert_kept_to_itself, keeping, open_view
from PIL import Image

from drawn_lesions import SKIN, ellipse, photograph
from lesionlens import CODES, Classifier
from serving import encode, with_manifest

pytestmark = pytest.mark.browser

SIZE = (360, 300)
GROWN = encode(
    photograph(ellipse(SIZE, (180, 150), (88, 66), 20), seed=3).rotate(6, Image.Resampling.BICUBIC, fillcolor=SKIN),
    "JPEG",
    quality=92,
)
OTHER = encode(photograph(ellipse(SIZE, (150, 170), (50, 66), 20), seed=8), "JPEG", quality=92)


@pytest.fixture(scope="module")
def kept(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A service with records of its own."""
    with keeping(classifier, tmp_path_factory.mktemp("records")) as kept:
        yield kept


@pytest.fixture
def ada(kept: Kept) -> str:
    """A person without lesions."""
    return kept.person()


@pytest.fixture
def lesion(kept: Kept, ada: str) -> str:
    """A lesion without photos."""
    return kept.lesion(ada, site="left shoulder", reminder_months=3, note="since spring")


def open_lesion(visit: Callable[..., Any], kept: Kept, lesion: str, **options: Any) -> Any:
    visited = open_view(visit, kept, f"#/lesions/{lesion}", **options)
    visited.page.wait_for_selector("ll-lesion h1")
    return visited


def choose(page: Any, photo: bytes = PHOTO) -> None:
    page.set_input_files("#visit-file", files=[{"name": "mole.jpg", "mimeType": "image/jpeg", "buffer": photo}])
    page.wait_for_selector("#field-taken_at")


def visits_of(kept: Kept, lesion: str) -> list[Any]:
    return list(kept.ask("GET", f"lesions/{lesion}/timeline")["visits"])


def picture(page: Any) -> str:
    return str(page.eval_on_selector("ll-visit canvas", "canvas => canvas.toDataURL()"))


def test_a_photo_is_added_and_its_answer_told(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    visited = open_lesion(visit, kept, lesion)
    page = visited.page
    assert page.inner_text("ll-lesion h1") == "Left shoulder"
    assert "since spring" in page.inner_text(".lesion-head")
    assert "Photograph every 3 months: first photo due" in page.inner_text(".lesion-head")
    choose(page)
    page.wait_for_function("() => document.querySelector('.preview').naturalWidth === 360")
    page.fill("#field-taken_at", "2026-05-01T10:30")
    page.fill("#field-note", "itches")
    page.get_by_role("button", name="Keep").press("Enter")
    page.wait_for_selector("ll-visit .answer")
    [kept_visit] = visits_of(kept, lesion)
    assert kept_visit["taken_at"].startswith("2026-05-01T10:30:00")
    assert kept_visit["note"] == "itches"
    [analysis] = kept_visit["analyses"]
    text = page.inner_text("ll-visit")
    assert "itches" in text
    assert f"{analysis['model']['name']} {analysis['model']['version']}" in text
    assert analysis["disclaimer"] in text
    if analysis["suitability"]["suitable"]:
        headline = analysis["prediction"]["name"] if analysis["confident"] else "Not confident"
        assert page.inner_text(".answer .headline") == headline
    else:
        assert all(reason["message"] in text for reason in analysis["suitability"]["reasons"])
    page.click("text=All figures")
    assert page.locator("ll-bars li").count() == 8
    assert_kept_to_itself(visited, kept)


def test_a_lost_answer_stores_nothing_twice(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    page = open_lesion(visit, kept, lesion).page

    def lose(route: Any) -> None:
        route.fetch()  # the service has it, and the page never hears so
        route.abort("connectionreset")

    page.route("**/visits", lose, times=1)
    choose(page)
    page.get_by_role("button", name="Keep").click()
    page.wait_for_selector("dialog .problem[role=alert]:has-text('cannot be reached')")
    assert len(visits_of(kept, lesion)) == 1
    page.get_by_role("button", name="Keep").click()
    page.wait_for_selector("ll-visit .answer")
    assert len(visits_of(kept, lesion)) == 1


def test_a_file_that_is_no_photo_is_explained(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    page = open_lesion(visit, kept, lesion).page
    choose(page, b"this is no photo")
    page.get_by_role("button", name="Keep").click()
    page.wait_for_selector("dialog .problem[role=alert]:has-text('Not a photo in an accepted format')")
    assert visits_of(kept, lesion) == []


def test_the_heatmap_follows_class_and_slider(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    kept.visit(lesion, "2026-05-01T10:00:00+02:00")
    page = open_lesion(visit, kept, lesion).page
    page.wait_for_selector("#heat-class")
    assert page.locator("#heat-class option").evaluate_all("os => os.map((o) => o.value)") == list(CODES)
    hot = picture(page)
    page.get_by_role("slider", name=re.compile("Heatmap")).fill("0")
    assert picture(page) != hot


def test_only_one_visit_is_open(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    for month in (3, 4):
        kept.visit(lesion, f"2026-0{month}-01T10:00:00+02:00", analyse="false")
    page = open_lesion(visit, kept, lesion).page
    summaries = page.locator("ll-visit summary")
    assert [text.split(",")[0] for text in summaries.all_inner_texts()] == ["1 Apr 2026", "1 Mar 2026"]
    opened = "entries => entries.map((e) => e.open)"
    assert page.eval_on_selector_all("details.visit", opened) == [True, False]
    summaries.nth(1).press("Enter")
    page.wait_for_selector("ll-visit:nth-of-type(2) canvas")
    assert page.eval_on_selector_all("details.visit", opened) == [False, True]
    assert page.locator("ll-visit canvas").count() == 1


def test_a_photo_without_an_answer_gets_one(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    kept.visit(lesion, "2026-05-01T10:00:00+02:00", analyse="false")
    page = open_lesion(visit, kept, lesion).page
    page.get_by_role("button", name="Analyse", exact=True).press("Enter")
    page.wait_for_selector("ll-visit .answer")
    assert len(visits_of(kept, lesion)[0]["analyses"]) == 1
    assert page.get_by_role("button", name="Analyse", exact=True).count() == 0


def test_a_newer_model_answers_beside_the_older_one(
    visit: Callable[..., Any], classifier: Classifier, tmp_path: Path
) -> None:
    older = with_manifest(classifier, graph_sha256="0" * 64, version="0.0.1", confidence_threshold=0.99999)
    with keeping(older, tmp_path) as kept:
        lesion = kept.lesion(kept.person())
        kept.visit(lesion, "2026-05-01T10:00:00+02:00")
    with keeping(classifier, tmp_path) as kept:
        visited = open_lesion(visit, kept, lesion)
        page = visited.page
        page.get_by_role("button", name="Analyse again").click()
        page.wait_for_selector("ll-visit .answer >> nth=1")
        newer, old = page.locator("ll-visit .answer").all_inner_texts()
        assert f"{classifier.manifest.version}," in newer
        assert "0.0.1," in old
        assert "An older answer" in old
        assert "NaN" not in old
        assert page.get_by_role("button", name="Analyse again").count() == 0
        assert_kept_to_itself(visited, kept)


def test_two_visits_are_compared(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    first = kept.visit(lesion, "2026-02-01T10:00:00+01:00")
    second = kept.visit(lesion, "2026-05-01T10:00:00+02:00", GROWN)
    visited = open_lesion(visit, kept, lesion)
    page = visited.page
    page.locator(".compare").scroll_into_view_if_needed()
    page.wait_for_selector(".statements li")
    change = kept.ask("GET", "comparisons", params={"before": first["id"], "after": second["id"]})
    assert change["registration"]["success"]
    text = page.inner_text(".compare")
    assert all(statement in text for statement in change["statements"])
    assert change["disclaimer"] in text
    assert page.query_selector(".compare .banner") is None
    page.click("text=All measures")
    assert page.locator(".compare tbody tr").count() == len(change["differences"])
    page.wait_for_function("() => [...document.querySelectorAll('.beside img')].every((i) => i.naturalWidth > 0)")
    sources = page.eval_on_selector_all(".beside img", "all => all.map((i) => i.src)")
    assert [re.search(r"which=(\w+)", source)[1] for source in sources] == ["before", "aligned"]
    assert page.locator(".beside figcaption").all_inner_texts() == ["Earlier", "Later, at the scale of the earlier one"]
    assert_kept_to_itself(visited, kept)


def test_the_slider_is_moved_by_mouse_and_keys(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    kept.visit(lesion, "2026-02-01T10:00:00+01:00")
    kept.visit(lesion, "2026-05-01T10:00:00+02:00", GROWN)
    page = open_lesion(visit, kept, lesion).page
    page.locator(".compare").scroll_into_view_if_needed()
    page.get_by_role("button", name="Slider").press("Enter")
    page.wait_for_function("() => [...document.querySelectorAll('.wipe img')].every((i) => i.naturalWidth > 0)")
    slider = page.get_by_role("slider", name=re.compile("earlier photo"))
    assert (
        len(set(page.eval_on_selector_all(".wipe img", "all => all.map((i) => i.naturalWidth / i.naturalHeight)"))) == 1
    )
    slider.press("ArrowRight")
    cut = "over => getComputedStyle(over).clipPath"
    assert page.eval_on_selector(".wipe .over", cut) == "inset(0px 0px 0px 51%)"
    box = page.locator(".wipe").bounding_box()
    page.mouse.move(box["x"] + 0.51 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert int(slider.input_value()) == pytest.approx(25, abs=2)


def test_blinking_pauses_and_respects_reduced_motion(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    kept.visit(lesion, "2026-02-01T10:00:00+01:00")
    kept.visit(lesion, "2026-05-01T10:00:00+02:00", GROWN)
    page = open_lesion(visit, kept, lesion).page
    page.locator(".compare").scroll_into_view_if_needed()
    page.get_by_role("button", name="Blink").click()
    for shown in ("Later", "Earlier"):
        page.wait_for_selector(f".blink + figcaption strong:has-text('{shown}')")
    page.get_by_role("button", name="Pause").press("Enter")
    still = page.inner_text(".blink + figcaption strong")
    page.wait_for_timeout(1500)
    assert page.inner_text(".blink + figcaption strong") == still
    page.get_by_role("button", name="Switch").press("Enter")
    assert page.inner_text(".blink + figcaption strong") != still
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Side by side").click()
    page.get_by_role("button", name="Blink").click()
    page.get_by_role("button", name="Play").wait_for()
    page.wait_for_timeout(1500)
    assert page.inner_text(".blink + figcaption strong") == "Earlier"


def test_a_failed_registration_is_said_plainly(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    first = kept.visit(lesion, "2026-02-01T10:00:00+01:00")
    second = kept.visit(lesion, "2026-05-01T10:00:00+02:00", OTHER)
    page = open_lesion(visit, kept, lesion).page
    page.locator(".compare").scroll_into_view_if_needed()
    page.wait_for_selector(".compare .banner:has-text('could not be brought together')")
    change = kept.ask("GET", "comparisons", params={"before": first["id"], "after": second["id"]})
    assert not change["registration"]["success"]
    assert all(statement in page.inner_text(".compare") for statement in change["statements"])
    page.locator(".charts").scroll_into_view_if_needed()
    page.wait_for_selector("text=No later photo can be compared in size with the first one.")


def test_other_visits_can_be_chosen(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    for month, photo in ((1, PHOTO), (2, OTHER), (3, GROWN)):
        kept.visit(lesion, f"2026-0{month}-01T10:00:00+01:00", photo, analyse="false")
    page = open_lesion(visit, kept, lesion).page
    page.locator(".compare").scroll_into_view_if_needed()
    page.wait_for_selector(".compare .banner")  # the two latest show different lesions
    page.select_option("#compare-before", index=0)
    page.wait_for_selector(".compare .banner", state="detached")
    page.wait_for_selector(".statements li")
    page.select_option("#compare-after", index=0)
    page.wait_for_selector("text=Choose two different photos.")


def test_charts_tell_their_numbers_as_tables(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    kept.visit(lesion, "2026-02-01T10:00:00+01:00")
    kept.visit(lesion, "2026-05-01T10:00:00+02:00", GROWN)
    page = open_lesion(visit, kept, lesion).page
    page.locator(".charts").scroll_into_view_if_needed()
    page.wait_for_selector(".chart:nth-of-type(2) .plot")
    probability, size = page.locator(".chart").all()
    for chart in (probability, size):
        chart.get_by_text("As a table").click()
        assert chart.locator("tbody tr").count() == chart.locator("circle").count() == 2
        assert "1 February" in chart.get_by_role("img").get_attribute("aria-label")
    assert probability.locator(".threshold").count() == 2
    grown = int(size.locator("tbody tr").nth(1).locator("td").first.inner_text().rstrip("%"))
    assert 120 < grown < 200  # (88 · 66) / (70 · 52) is 160 %
    assert size.locator(".band").count() == 1


def test_a_lesion_is_edited(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    page = open_lesion(visit, kept, lesion).page
    page.get_by_role("button", name="Edit", exact=True).press("Enter")
    page.fill("#field-site", "upper arm")
    page.select_option("#field-reminder_months", "")
    page.select_option("#field-colour", "green")
    page.keyboard.press("Enter") if page.evaluate("document.activeElement.tagName") == "INPUT" else page.get_by_role(
        "button", name="Save"
    ).press("Enter")
    page.wait_for_selector("ll-lesion h1:has-text('Upper arm')")
    changed = kept.ask("GET", f"lesions/{lesion}")
    assert (changed["site"], changed["reminder_months"], changed["colour"]) == ("upper arm", None, "green")
    assert "Photograph every" not in page.inner_text(".lesion-head")


def test_a_lesion_is_moved_and_back(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    page = open_lesion(visit, kept, lesion).page
    page.get_by_role("button", name="Move").press("Enter")
    assert page.locator("#field-place option:checked").inner_text().startswith("Front: ")
    page.select_option("#field-place", label="Back: nape")
    page.get_by_role("button", name="Next").press("Enter")
    page.wait_for_selector(".lesion-head:has-text('Back')")
    moved = kept.ask("GET", f"lesions/{lesion}")
    assert (moved["view"], moved["x"]) == ("back", pytest.approx(0.5))
    assert moved["y"] == pytest.approx(68 / 420)
    page.get_by_role("button", name="Undo").press("Enter")
    page.wait_for_selector(".lesion-head:has-text('Front')")
    back = kept.ask("GET", f"lesions/{lesion}")
    assert (back["view"], back["x"], back["y"]) == ("front", 0.7, 0.22)


def test_a_deleted_lesion_comes_back_by_undo(visit: Callable[..., Any], kept: Kept, ada: str, lesion: str) -> None:
    page = open_lesion(visit, kept, lesion).page
    page.get_by_role("button", name="Delete", exact=True).press("Enter")
    page.wait_for_selector("ll-body")
    assert kept.deleted("lesions", person_id=ada) == [lesion]
    page.get_by_role("button", name="Undo").press("Enter")
    page.wait_for_selector("ll-lesion h1:has-text('Left shoulder')")
    assert kept.ask("GET", f"lesions/{lesion}")["deleted_at"] is None


def test_a_visit_is_edited_deleted_and_put_back(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    kept.visit(lesion, "2026-05-01T10:00:17+07:00", analyse="false")
    page = open_lesion(visit, kept, lesion).page
    actions = page.locator("ll-visit .actions")
    actions.get_by_role("button", name="Edit").click()
    page.fill("#field-note", "bled once")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("ll-visit .note:has-text('bled once')")
    [edited] = visits_of(kept, lesion)
    assert edited["taken_at"] == "2026-05-01T10:00:17+07:00"  # an untouched time stays what it was
    actions.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").wait_for()
    page.wait_for_selector("ll-visit", state="detached")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector("ll-visit .note")


def test_a_deleted_photo_is_erased_after_asking(visit: Callable[..., Any], kept: Kept, lesion: str) -> None:
    gone = kept.visit(lesion, "2026-05-01T10:00:00+02:00", analyse="false")["id"]
    kept.ask("DELETE", f"visits/{gone}")
    page = open_lesion(visit, kept, lesion).page
    page.get_by_role("button", name="Deleted photos").click()
    page.get_by_role("button", name=re.compile("^Erase for good: Photo of 1 May 2026")).click()
    page.get_by_role("button", name="Erase for good", exact=True).click()
    page.wait_for_selector("text=Nothing was deleted.")
    assert gone not in kept.deleted("visits")


def test_a_lesion_that_is_not_there_is_explained(visit: Callable[..., Any], kept: Kept) -> None:
    page = open_view(visit, kept, "#/lesions/00000000-0000-4000-8000-000000000000").page
    page.wait_for_selector("ll-lesion [role=alert]")
    page.get_by_role("link", name="All lesions").click()
    page.wait_for_selector("ll-body")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_and_can_be_read(visit: Callable[..., Any], kept: Kept, lesion: str, width: int, scheme: str) -> None:
    kept.visit(lesion, "2026-02-01T10:00:00+01:00", note="first look")
    kept.visit(lesion, "2026-05-01T10:00:00+02:00", GROWN)
    visited = open_lesion(visit, kept, lesion, width=width, scheme=scheme)
    page = visited.page
    page.locator(".charts").scroll_into_view_if_needed()
    page.wait_for_selector(".chart:nth-of-type(2) .plot")
    page.wait_for_selector(".statements li")
    page.click("text=All figures")
    page.click("text=All measures")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    if width == 390:
        assert violations(page) == []
    assert_kept_to_itself(visited, kept)
