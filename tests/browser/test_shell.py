"""The shell of the page: addresses, navigation, opening offline, weight, and who can use it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe import violations
from contrast import CONTRAST
from proxy import proxy_to

from lesionlens import Classifier
from lesionlens.api.app import WEB_FOLDER
from serving import Running, draw_lesion, encode, running

pytestmark = pytest.mark.browser

PHOTO = {"name": "lesion.jpg", "mimeType": "image/jpeg", "buffer": encode(draw_lesion(640, 480), "JPEG")}
VIEWS = {"#/": "ll-analyse", "#/body": "ll-body", "#/batch": "ll-batch", "#/about": "ll-about"}
BUDGET = 150_000  # bytes of all files but pictures
FIRST_PAINT_MS = 1000
WORKER_READY = "() => navigator.serviceWorker.ready.then((r) => r.active.state)"


def test_every_address_shows_its_view(visit: Callable[..., Any], server: Running) -> None:
    visited = visit(server)
    page = visited.page
    for address, tag in VIEWS.items():
        page.click(f"nav a[href='{address}']")
        page.wait_for_selector(f"main {tag}")
        assert page.locator("nav a[aria-current=page]").get_attribute("href") == address
        assert page.locator("main > *").count() == 1
    assert page.title() == "About · LesionLens"
    page.go_back()
    page.wait_for_selector("main ll-batch")
    page.goto(f"{server.url}/#/lesions/0d9d7a52-0000-4000-8000-000000000000")
    page.wait_for_selector("main ll-lesion")
    assert page.locator("nav a[aria-current=page]").inner_text() == "Body"
    assert all(url.startswith((server.url, "blob:", "data:")) for url in visited.requested)


def test_an_address_that_leads_nowhere_leads_to_the_start(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server, path="/#/nothing").page
    page.wait_for_selector("ll-picker label")
    assert page.locator("nav a[aria-current=page]").inner_text() == "Analyse"


def test_an_answer_is_still_there_on_coming_back(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server).page
    page.set_input_files("#file", files=[PHOTO])
    page.wait_for_selector("#headline")
    page.click("nav a[href='#/about']")
    page.wait_for_selector("ll-about")
    page.click("nav a[href='#/']")
    assert page.wait_for_selector("#headline")
    page.click(".brand")  # which begins anew
    page.wait_for_selector(".intro")
    assert page.locator("#headline").count() == 0


def test_a_view_that_cannot_be_loaded_is_told(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server, service_workers="block").page
    page.wait_for_selector("ll-picker label")
    page.route("**/batch/view.js", lambda route: route.abort())
    page.click("nav a[href='#/batch']")
    assert "“Batch” cannot be loaded" in page.wait_for_selector("main [role=alert]").inner_text()


def test_the_shell_opens_without_the_service(visit: Callable[..., Any], classifier: Classifier) -> None:
    with running(classifier) as server, proxy_to(server.url) as proxy:
        page = visit(proxy, width=390).page
        assert page.evaluate(WORKER_READY) in ("activating", "activated")
        page.wait_for_function("() => navigator.serviceWorker.controller")
        kept = page.evaluate(
            """async () => (await Promise.all((await caches.keys()).map(async (name) =>
              (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)))).flat()"""
        )
        assert {"/", "/static/app.js", "/static/analyse/view.js"} <= set(kept)
        page.set_input_files("#file", files=[PHOTO])
        page.wait_for_selector("#headline")
        after = page.evaluate("async () => (await caches.keys()).length")
        assert after == 1
        assert not [path for path in kept if path.startswith(("/v1", "/predict", "/docs"))]
        proxy.upstream = None
        page.reload()
        page.wait_for_selector("ll-picker label")
        page.wait_for_selector("ll-banner:has-text('The service cannot be reached')")
        page.click("nav a[href='#/batch']")  # it was never opened before
        page.wait_for_selector("ll-batch")
        page.click("nav a[href='#/']")
        page.set_input_files("#file", files=[PHOTO])
        assert "The service cannot be reached" in page.wait_for_selector("main [role=alert]").inner_text()
        proxy.upstream = int(server.url.rsplit(":", 1)[1])
        page.click("text=Try this photo again")
        page.wait_for_selector("#headline")
        page.wait_for_selector("ll-banner:not(:has-text('cannot be reached'))", state="attached")


def test_nothing_of_the_api_is_kept_by_the_worker(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server).page
    page.evaluate(WORKER_READY)
    page.set_input_files("#file", files=[PHOTO])
    page.wait_for_selector("#headline")
    kept = page.evaluate(
        """async () => { const cache = await caches.open((await caches.keys())[0]);
          return (await cache.keys()).map(({ url }) => new URL(url).pathname); }"""
    )
    assert all(path in ("/", "/manifest.webmanifest") or path.startswith("/static/") for path in kept)


def test_it_can_be_installed(visit: Callable[..., Any], server: Running) -> None:
    manifest = server.get("/manifest.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")
    assert {icon["purpose"] for icon in manifest.json()["icons"]} == {"any", "maskable"}
    for icon in manifest.json()["icons"]:
        assert server.get("/" + icon["src"]).headers["content-type"].startswith("image/svg+xml")
    visited = visit(server)
    session = visited.page.context.new_cdp_session(visited.page)
    assert session.send("Page.getAppManifest")["errors"] == []
    assert visited.complaints == []


def test_the_whole_page_is_light() -> None:
    files = [path for path in WEB_FOLDER.rglob("*") if path.is_file() and path.suffix not in (".svg", ".png")]
    sizes = {path.relative_to(WEB_FOLDER).as_posix(): path.stat().st_size for path in files}
    assert sum(sizes.values()) < BUDGET, sizes
    assert not [
        path
        for path in files
        if re.search(rb"https?://(?!www\.w3\.org/2000/svg)[\w.-]+/\S*\.(js|css)", path.read_bytes())
    ]


def test_the_first_paint_comes_soon(visit: Callable[..., Any], server: Running) -> None:
    """The quickest of three: whatever else the machine does can only make it later."""
    page = visit(server).page
    painted = []
    for _ in range(3):
        page.reload()
        page.wait_for_selector("ll-picker label")
        painted.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    assert min(painted) < FIRST_PAINT_MS, painted


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(visit: Callable[..., Any], server: Running, width: int, scheme: str) -> None:
    page = visit(server, width=width, scheme=scheme, reduced_motion="reduce").page
    page.wait_for_selector("ll-picker label")
    assert violations(page) == []
    page.set_input_files("#file", files=[PHOTO])
    page.wait_for_selector("#headline")
    assert violations(page) == []
    page.click("#save")
    page.wait_for_selector("dialog[open]")
    assert violations(page) == []
    assert page.evaluate(CONTRAST) == []


def test_axe_would_find_something(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server).page
    page.wait_for_selector("ll-picker label")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [found.split(":")[0] for found in violations(page)] == ["button-name"]


def test_the_keyboard_alone_leads_to_an_answer(visit: Callable[..., Any], server: Running, tmp_path: Path) -> None:
    photo = tmp_path / "lesion.jpg"
    photo.write_bytes(PHOTO["buffer"])
    page = visit(server).page
    page.on("filechooser", lambda _: None)  # from now on, choosers are intercepted: later, Enter could come before that
    page.wait_for_selector("ll-picker label")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip button"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.evaluate("location.hash") == ""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(photo)
    page.wait_for_selector("#headline")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "save":
            break
    assert page.evaluate("document.activeElement.id") == "save"
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert page.evaluate("document.activeElement.id") == "save"
