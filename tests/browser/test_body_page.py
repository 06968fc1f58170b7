"""The Body view, as a person uses it: by mouse, by fingers and by keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe import violations
from contrast import CONTRAST
from kept import PERSON_KEY, Kept, assert_kept_to_itself, keeping, open_view

from lesionlens import Classifier
from lesionlens.tracker.fields import VIEWS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def kept(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A service with records of its own."""
    with keeping(classifier, tmp_path_factory.mktemp("records")) as kept:
        yield kept


@pytest.fixture
def ada(kept: Kept) -> str:
    """A person without lesions."""
    return kept.person()


def open_body(visit: Callable[..., Any], kept: Kept, person: str | None, **options: Any) -> Any:
    visited = open_view(visit, kept, "#/body", person, **options)
    visited.page.wait_for_selector("ll-body-map .skin" if person else ".welcome")
    return visited


def on_screen(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a place of the map, in shares of its sides, is on the screen while all of the map is shown."""
    found = page.evaluate(
        """([x, y]) => {
          const map = document.querySelector("ll-body-map .map");
          map.scrollIntoView({ block: "center" });
          const { width, height } = map.viewBox.baseVal;
          const { x: left, y: top } = new DOMPoint(x * width, y * height).matrixTransform(map.getScreenCTM());
          return [left, top];
        }""",
        [x, y],
    )
    return float(found[0]), float(found[1])


def shown_part(page: Any) -> list[float]:
    """Left, top, width and height of what the map shows, in its own units."""
    return [float(value) for value in page.get_attribute("ll-body-map .map", "viewBox").split()]


def test_the_first_person_is_added_by_keys_and_remembered(
    visit: Callable[..., Any], classifier: Classifier, tmp_path: Any
) -> None:
    with keeping(classifier, tmp_path) as kept:
        visited = open_body(visit, kept, None)
        page = visited.page
        page.get_by_role("button", name="Add the first person").press("Enter")
        page.keyboard.type("Grace")
        page.keyboard.press("Enter")
        page.wait_for_selector("#person")
        [person] = kept.ask("GET", "people")["items"]
        assert person["label"] == "Grace"
        assert page.evaluate("(key) => localStorage.getItem(key)", PERSON_KEY) == person["id"]
        other = kept.person("Alan")
        page.reload()
        page.wait_for_selector("#person")
        assert page.locator("#person option").all_inner_texts() == ["Alan", "Grace"]
        assert page.input_value("#person") == person["id"]
        page.select_option("#person", other)
        page.wait_for_selector("h1:has-text('Lesions of Alan')", state="attached")
        assert_kept_to_itself(visited, kept)


def test_a_press_on_the_skin_adds_a_lesion(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    visited = open_body(visit, kept, ada)
    page = visited.page
    page.mouse.click(*on_screen(page, 0.7, 0.222))
    assert page.input_value("#field-site") == "left shoulder"  # the person's left, seen from the front
    page.select_option("#field-colour", "blue")
    page.select_option("#field-reminder_months", "6")
    page.fill("#field-note", "since spring")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_selector("ll-lesion h1:has-text('Left shoulder')")
    [lesion] = kept.ask("GET", "lesions", params={"person_id": ada})["items"]
    assert page.url.endswith(f"#/lesions/{lesion['id']}")
    expected = {
        "view": "front",
        "site": "left shoulder",
        "colour": "blue",
        "reminder_months": 6,
        "note": "since spring",
    }
    assert {name: lesion[name] for name in expected} == expected
    assert (lesion["x"], lesion["y"]) == (pytest.approx(0.7, abs=0.01), pytest.approx(0.222, abs=0.01))
    assert_kept_to_itself(visited, kept)


def test_nothing_is_added_beside_the_body(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    page = open_body(visit, kept, ada).page
    page.mouse.click(*on_screen(page, 0.05, 0.95))
    page.wait_for_selector("text=That is beside the body.", state="attached")
    assert page.query_selector("dialog") is None


def test_a_lesion_is_added_by_the_cross(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    page = open_body(visit, kept, ada).page
    page.focus("ll-body-map .map")
    for key in ("ArrowUp", "Shift+ArrowUp", "Shift+ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    heard = page.inner_text("ll-body-map [role=status]")
    page.keyboard.press("Enter")
    assert page.input_value("#field-site") == heard == "navel"
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert page.evaluate("document.activeElement.classList.contains('map')")
    page.keyboard.press("Enter")  # the cross is still there
    page.get_by_role("button", name="Add", exact=True).press("Enter")
    page.wait_for_selector("ll-lesion h1")
    assert len(kept.ask("GET", "lesions", params={"person_id": ada})["items"]) == 1


def test_a_lesion_is_added_by_the_name_of_its_place(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    """Without the map at all."""
    page = open_body(visit, kept, ada).page
    page.get_by_role("button", name="Add a lesion").press("Enter")
    page.select_option("#field-place", label="Left foot: left sole")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#field-site")
    assert page.input_value("#field-site") == "left sole"
    page.get_by_role("button", name="Add", exact=True).press("Enter")
    page.wait_for_selector("ll-lesion h1:has-text('Left sole')")
    [lesion] = kept.ask("GET", "lesions", params={"person_id": ada})["items"]
    assert lesion["view"] == "left_foot"


def test_near_an_existing_lesion_that_one_is_offered(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    there = kept.lesion(ada, site="left shoulder")
    page = open_body(visit, kept, ada).page
    page.wait_for_selector("ll-body-map a")
    x, y = on_screen(page, 0.7, 0.22)
    page.mouse.click(x - 18, y + 8)
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Is it this lesion?").wait_for()
    dialog.get_by_role("button", name="No, a new one").click()
    page.wait_for_selector("#field-site")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.mouse.click(x - 18, y + 8)
    dialog.get_by_role("link", name="Left shoulder").click()
    page.wait_for_selector("ll-lesion h1")
    assert page.url.endswith(there)
    assert page.query_selector("dialog") is None
    assert len(kept.ask("GET", "lesions", params={"person_id": ada})["items"]) == 1


def test_a_spot_opens_its_lesion_by_mouse_and_by_key(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    there = kept.lesion(ada, site="left shoulder")
    page = open_body(visit, kept, ada).page
    spot = page.get_by_role("link", name="Left shoulder: no answer yet; no photo yet")
    spot.click()
    page.wait_for_selector("ll-lesion h1")
    page.go_back()
    spot.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("ll-lesion h1")
    assert page.url.endswith(there)


def test_zoom_by_wheel_keeps_the_place_under_the_pointer(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    kept.lesion(ada, x=0.7, y=0.22)
    page = open_body(visit, kept, ada).page
    page.wait_for_selector("ll-body-map a")
    x, y = on_screen(page, 0.7, 0.22)
    middle = "a => { const b = a.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2, b.width]; }"
    before = page.eval_on_selector("ll-body-map a", middle)
    whole = shown_part(page)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    page.wait_for_function("(w) => document.querySelector('.map').viewBox.baseVal.width < w / 2", arg=whole[2])
    assert page.eval_on_selector("ll-body-map a", middle) == pytest.approx(before, abs=2.0)  # its size as well
    page.mouse.wheel(0, 3000)
    page.wait_for_function("(w) => document.querySelector('.map').viewBox.baseVal.width === w", arg=whole[2])


def test_buttons_keys_and_dragging_move_the_map(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    page = open_body(visit, kept, ada).page
    whole = shown_part(page)
    page.get_by_role("button", name="Zoom in").click()
    page.focus("ll-body-map .map")
    page.keyboard.press("+")
    closer = shown_part(page)
    assert closer[2] == pytest.approx(whole[2] / 1.6**2)
    box = page.locator("ll-body-map .map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    moved = shown_part(page)
    assert moved[0] < closer[0]
    assert moved[1] < closer[1]
    assert page.query_selector("dialog") is None  # it was a drag, no press
    page.keyboard.press("-")
    assert shown_part(page)[2] > moved[2]
    page.keyboard.press("0")
    assert shown_part(page) == whole
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Show all of the map").click()
    assert shown_part(page) == whole


def test_two_fingers_zoom(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    page = open_body(visit, kept, ada, width=390).page
    whole = shown_part(page)
    x, y = on_screen(page, 0.5, 0.4)
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *apart: float) -> None:
        points = [{"x": x + side * d, "y": y, "id": i} for d in apart for i, side in enumerate((-1, 1))]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 20)
    for apart in (30, 50, 80):
        fingers("touchMove", apart)
    fingers("touchEnd")
    assert shown_part(page)[2] < whole[2] / 2
    assert page.query_selector("dialog") is None


def test_every_map_is_drawn_and_counts_its_lesions(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    kept.lesion(ada, view="back")
    page = open_body(visit, kept, ada, width=390).page
    drawings = set()
    chips = page.locator("ll-body .views button")
    assert chips.count() == len(VIEWS)
    for i in range(len(VIEWS)):
        chips.nth(i).press("Enter")
        assert chips.nth(i).get_attribute("aria-pressed") == "true"
        drawings.add(
            page.eval_on_selector_all("ll-body-map .skin path", "paths => paths.map((p) => p.getAttribute('d')).join()")
        )
        assert page.locator("ll-body-map .spot, ll-body-map a").count() == (VIEWS[i] == "back")
    assert len(drawings) >= len(VIEWS) - 1  # front and back share an outline
    assert chips.nth(1).inner_text().split() == ["Back", "1", "lesion"]


def test_every_named_place_is_on_its_map(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    page = open_body(visit, kept, ada).page
    wrong = page.evaluate(
        """async () => {
          const { draw, places, suggestSite, svg, VIEWS } = await import("/static/body/places.js");
          return Object.keys(VIEWS).flatMap((view) => {
            const { width, height, parts } = draw(view);
            const map = svg("svg", {}, ...parts);
            document.body.append(map);
            const skin = [...map.querySelectorAll(".skin path")];
            const isOn = ({ x, y }) => skin.some((path) => path.isPointInFill(new DOMPoint(x * width, y * height)));
            const all = places(view);
            const wrong = all.filter((place) => !isOn(place) || suggestSite(view, place.x, place.y) !== place.name);
            return (all.length < 8 ? [view] : []).concat(wrong.map(({ name }) => `${view}: ${name}`));
          });
        }"""
    )
    assert wrong == []


def test_lesions_are_listed_and_sorted(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    kept.lesion(ada, site="nape", view="back", x=0.5, y=0.16)
    seen = kept.lesion(ada, site="chin", x=0.5, y=0.14, colour="red")
    answer = kept.visit(seen, "2026-05-01T10:00:00+02:00")["analyses"][0]
    page = open_body(visit, kept, ada).page
    names = page.locator(".lesion-row strong")
    page.wait_for_selector(".lesion-row")
    assert [name.split()[0] for name in names.all_inner_texts()] == ["Chin", "Nape"]  # no answer yet comes last
    row = page.locator(".lesion-row").first
    assert "tagged red" in row.inner_text()
    assert "1 photo · 1 May" in row.inner_text()
    suitable = answer["suitability"]["suitable"]
    assert ("Photo not suitable" in row.inner_text()) is (not suitable)
    assert row.locator("img").evaluate(
        "image => image.complete || new Promise((done) => (image.onload = () => done(true)))"
    )
    kept.lesion(ada, site="ankle", x=0.4, y=0.93)
    page.reload()
    page.wait_for_selector(".lesion-row >> nth=2")
    assert [name.split()[0] for name in names.all_inner_texts()] == ["Chin", "Ankle", "Nape"]  # and then by name


def test_due_lesions_are_named_on_opening(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    due = kept.lesion(ada, site="left shoulder", reminder_months=3)
    kept.lesion(ada, site="chin", y=0.14, x=0.5, reminder_months=120)
    taken = datetime.now(UTC) - timedelta(days=200)
    kept.visit(due, taken.isoformat(), analyse="false")
    page = open_body(visit, kept, ada).page
    reminder = page.get_by_role("region", name="Photograph again")
    since = datetime.fromisoformat(kept.ask("GET", f"lesions/{due}")["due_at"])
    assert f"Left shoulder, due since {since.day} {since:%B}" in reminder.inner_text()
    assert "Chin" not in reminder.inner_text()
    reminder.get_by_role("link").click()
    page.wait_for_selector("ll-lesion .due-now")


def test_a_person_is_edited_and_told_what_is_not_accepted(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    visited = open_body(visit, kept, ada)
    page = visited.page
    page.get_by_role("button", name="Edit", exact=True).click()
    page.eval_on_selector("#field-birth_year", "input => input.removeAttribute('min')")
    page.fill("#field-birth_year", "1700")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("#field-birth_year-said .problem:not(:empty)")
    assert "1880" in page.inner_text("#field-birth_year-said")
    assert page.evaluate("document.activeElement.id") == "field-birth_year"
    assert page.get_attribute("#field-birth_year", "aria-invalid") == "true"
    page.fill("#field-birth_year", "1980")
    page.fill("#field-label", "Ada L.")
    page.select_option("#field-skin_type", "2")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("#person option:has-text('Ada L.')", state="attached")
    person = kept.ask("GET", f"people/{ada}")
    assert (person["label"], person["birth_year"], person["skin_type"], person["sex"]) == ("Ada L.", 1980, 2, None)


def test_a_deleted_person_comes_back_by_undo(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    kept.lesion(ada)
    page = open_body(visit, kept, ada).page
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Undo").wait_for()
    assert ada in kept.deleted("people")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector(f"#person option[value='{ada}']", state="attached")
    assert kept.ask("GET", f"people/{ada}")["deleted_at"] is None
    page.wait_for_selector(".lesion-row")


def test_deleted_lesions_are_put_back_or_erased(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    first, second = kept.lesion(ada, site="chin"), kept.lesion(ada, site="nape", view="back")
    for lesion in (first, second):
        kept.ask("DELETE", f"lesions/{lesion}")
    page = open_body(visit, kept, ada).page
    page.get_by_role("button", name="Deleted").press("Enter")
    page.get_by_role("button", name="Put back: Chin").press("Enter")
    page.get_by_role("button", name="Put back: Chin").wait_for(state="detached")
    page.get_by_role("button", name="Erase for good: Nape").press("Enter")
    page.get_by_role("button", name="Cancel").press("Enter")
    assert kept.deleted("lesions", person_id=ada) == [second]
    page.get_by_role("button", name="Erase for good: Nape").click()
    page.get_by_role("button", name="Erase for good", exact=True).click()
    page.get_by_role("button", name="Erase for good: Nape").wait_for(state="detached")
    page.get_by_role("button", name="Done").click()
    page.wait_for_selector(".lesion-row:has-text('Chin')")
    assert kept.deleted("lesions", person_id=ada) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_and_can_be_read(visit: Callable[..., Any], kept: Kept, ada: str, width: int, scheme: str) -> None:
    lesion = kept.lesion(ada, site="left shoulder", colour="yellow", reminder_months=1)
    kept.visit(lesion, "2026-01-01T10:00:00+00:00")
    visited = open_body(visit, kept, ada, width=width, scheme=scheme)
    page = visited.page
    page.wait_for_selector(".lesion-row")
    page.click("text=What the signs mean")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    if width == 390:
        assert violations(page) == []
    assert_kept_to_itself(visited, kept)


def test_what_is_due_is_said_on_opening(visit: Callable[..., Any], kept: Kept, ada: str) -> None:
    due = kept.lesion(ada, site="behind the left ear", reminder_months=3)
    kept.visit(due, (datetime.now(UTC) - timedelta(days=2000)).isoformat())
    not_yet = kept.lesion(ada, x=0.6, site="right hip", reminder_months=3)
    kept.visit(not_yet, datetime.now(UTC).isoformat())
    page = open_view(visit, kept, "#/", ada).page
    reminder = page.locator("ll-banner", has_text="Photograph again")
    reminder.get_by_role("link", name="behind the left ear").wait_for()
    assert "right hip" not in reminder.inner_text()
    assert not violations(page)
    reminder.get_by_role("link", name="behind the left ear").click()
    page.wait_for_url(f"**/#/lesions/{due}")
    page.get_by_role("button", name="Later").click()
    page.wait_for_selector("ll-banner .banner", state="detached")
