"""What the page says of itself: the limits that must be read once, and all that is known of the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe import violations
from contrast import CONTRAST

from lesionlens import Bundle, Classifier
from lesionlens.inference.records import OperatingPoint
from lesionlens.version import __version__
from serving import Running, running, wait_until, with_manifest

pytestmark = pytest.mark.browser

POINT = OperatingPoint(name="s", threshold=0.31, sensitivity=0.83, specificity=0.71, measured_on="a test")
CARD = """# name 1

Text <b>plain</b> <img src=x onerror="document.title='run'"> with `code` and **bold**,
on two lines.

## A table

| | n |
|---|---:|
| one \\| two | 3 |

- first [linked](https://example.org/a), [not](javascript:alert)
  and on
- second doi:10.1000/1.2.

> quoted
> on

| alone

*Leaning* last.
"""


@pytest.fixture
def first_visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Function that opens the page as someone who has never been there."""
    contexts: list[Any] = []

    def open_page(server: Running, script: str = "", width: int = 1280, scheme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
        contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.goto(server.url)
        page.wait_for_selector("dialog[open]")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def quiet_server(plain: Classifier) -> Iterator[Running]:
    """A service that keeps no records, whose model has one operating point."""
    with running(with_manifest(plain, operating_points=(POINT,)), tracker="off") as server:
        yield server


def carded(classifier: Classifier, folder: Path, card: str) -> Classifier:
    bundle = classifier.bundle
    written = Bundle.write(folder, bundle.graph_path.read_bytes(), classifier.manifest, card)
    return Classifier(written, engine=classifier._engine)


def about(visit: Callable[..., Any], server: Running, **options: Any) -> Any:
    visited = visit(server, path="/#/about", **options)
    visited.page.wait_for_selector("ll-about h1")
    wait_until(lambda: visited.page.locator("ll-about [aria-busy]").count() == 0)
    return visited


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_the_limits_must_be_read_once(
    first_visit: Callable[..., Any], quiet_server: Running, width: int, scheme: str
) -> None:
    page = first_visit(quiet_server, width=width, scheme=scheme)
    dialog = page.get_by_role("dialog", name="Before you begin")
    dialog.get_by_text("found 83% of the cancers").wait_for()
    text = dialog.inner_text()
    for expected in ("not a medical device", "missed 17%", "29% of harmless", "dermoscopic", "dark skin", "bleeds"):
        assert expected in text
    assert page.evaluate("document.activeElement.textContent") == "Before you begin"
    assert page.evaluate(CONTRAST.replace("main *, header *, footer *", "dialog *")) == []
    for _ in range(3):
        page.keyboard.press("Escape")
    assert dialog.is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    page.reload()
    page.wait_for_selector("main h1")
    page.wait_for_timeout(500)
    assert page.locator("dialog").count() == 0


def test_a_dialog_closed_by_force_comes_again(first_visit: Callable[..., Any], quiet_server: Running) -> None:
    page = first_visit(quiet_server)
    page.evaluate("document.querySelector('dialog').close()")
    page.wait_for_selector("dialog[open]")
    assert page.evaluate("localStorage.getItem('lesionlens.limits-read')") is None


def test_limits_without_storage(first_visit: Callable[..., Any], quiet_server: Running) -> None:
    refuse = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } });"
    page = first_visit(quiet_server, refuse)
    page.click("dialog button")
    page.wait_for_selector("dialog", state="detached")
    page.reload()
    page.wait_for_selector("dialog[open]")  # asked again, since nothing can be remembered


def test_a_model_whose_misses_were_not_measured(first_visit: Callable[..., Any], plain: Classifier) -> None:
    with running(with_manifest(plain, operating_points=()), tracker="off") as server:
        page = first_visit(server)
        page.get_by_text("How often was not measured for this model.").wait_for()


def test_the_limits_can_be_read_again(visit: Callable[..., Any], quiet_server: Running) -> None:
    page = about(visit, quiet_server).page
    button = page.get_by_role("button", name="Read the limits again")
    button.click()
    page.get_by_role("dialog", name="The limits of LesionLens").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert button.evaluate("button => button === document.activeElement")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_all_that_is_known_of_the_model(
    visit: Callable[..., Any], quiet_server: Running, plain: Classifier, width: int, scheme: str
) -> None:
    visited = about(visit, quiet_server, width=width, scheme=scheme)
    page, manifest = visited.page, plain.manifest
    text = page.inner_text("ll-about")
    auc, low, high = manifest.results["slices"]["all"]["malignant_auc"]
    assert manifest.training is not None
    for expected in (
        f"{manifest.name} {manifest.version}",
        manifest.graph_sha256,
        f"{auc:.3f}",
        f"{low:.3f}–{high:.3f}",
        f"{manifest.results['slices']['all']['n']:,} photos",
        "finds 83% of cancers and wrongly flags 29%",
        manifest.training.licence,
        *manifest.training.citations,
        "is not stored",
        "until you erase them",
        f"LesionLens {__version__}",
    ):
        assert expected in text
    assert page.locator("ll-about a[href=docs]").count() == 1
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    assert visited.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Callable[..., Any], quiet_server: Running, scheme: str) -> None:
    page = about(visit, quiet_server, width=390, scheme=scheme).page
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert violations(page) == []
    page.get_by_role("button", name="Read the limits again").click()
    page.wait_for_selector("dialog[open]")
    assert violations(page) == []


def test_the_card_is_whole(visit: Callable[..., Any], quiet_server: Running, plain: Classifier) -> None:
    page = about(visit, quiet_server).page
    card = plain.bundle.model_card
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    chapters = page.locator("ll-about summary").all_inner_texts()
    assert chapters == re.findall(r"^## (.*)$", card, re.MULTILINE)
    assert page.locator("details h4").all_inner_texts() == re.findall(r"^### (.*)$", card, re.MULTILINE)
    shown = page.locator("section:has(summary)").inner_text()
    rows = [line for line in card.splitlines() if line.startswith("|") and not set(line) <= set("|-: ")]
    assert page.locator("section:has(summary) .scroll tr").count() == len([row for row in rows if row.strip("| ")])
    for row in rows:
        for cell in filter(None, (cell.strip(" `") for cell in row.strip("|").split("|"))):
            assert cell in shown
    assert "**" not in shown
    assert page.locator("details a[href='https://doi.org/10.1038/sdata.2018.161']").count() == 1


def test_a_card_can_do_nothing_but_be_read(visit: Callable[..., Any], plain: Classifier, tmp_path: Path) -> None:
    with running(carded(plain, tmp_path, CARD), tracker="off") as server:
        visited = about(visit, server)
        page = visited.page
        card = page.locator("section:has(summary)")
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        shown = """Text <b>plain</b> <img src=x onerror="document.title='run'"> with code and bold, on two lines."""
        assert shown in card.inner_text()
        assert card.locator("img, script").count() == 0
        assert card.locator("a").evaluate_all("all => all.map((a) => a.href)") == [
            "https://example.org/a",
            "https://doi.org/10.1000/1.2",
        ]
        assert card.locator("ul li").all_inner_texts() == [
            "first linked, [not](javascript:alert) and on",
            "second doi:10.1000/1.2.",
        ]
        assert card.locator("tbody th").inner_text() == "one | two"
        assert card.locator("td.number").inner_text() == "3"
        assert card.locator("blockquote").inner_text() == "quoted on"
        assert card.locator("table").last.inner_text().strip() == "alone"
        assert card.locator("details > p").last.inner_text() == "Leaning last."
        assert page.title().startswith("About")
        assert visited.complaints == []


def test_a_model_without_card_and_figures(visit: Callable[..., Any], plain: Classifier, tmp_path: Path) -> None:
    bare = with_manifest(plain, results={}, training=None, operating_points=())
    with running(carded(bare, tmp_path, ""), tracker="off") as server:
        page = about(visit, server).page
        text = page.inner_text("ll-about")
    assert "No figures were measured" in text
    assert "Nothing is recorded of how this model was trained" in text
    assert "This part could not be had. The service answered with status 404." in text
