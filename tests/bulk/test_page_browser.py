"""The page of results in a real browser, on a phone and on a desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lesionlens import DISCLAIMER, Classifier
from lesionlens.bulk import Result, classify_files, open_writer
from serving import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def page_file(classifier: Classifier, pictures: Path, tmp_path: Path) -> Path:
    target = tmp_path / "results.html"
    with open_writer(target, "html", classifier.description) as writer:
        writer.write(Result("a/" + "very-long-name-" * 12 + "<b>.jpg", error="the file is empty"))
        for result in classify_files(classifier, sorted(pictures.glob("*.jpg")), thumbnails=True):
            writer.write(result)
    return target


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_fits_shows_its_pictures_and_loads_nothing(browser: Any, page_file: Path, width: int) -> None:
    with browser.new_context(viewport={"width": width, "height": 844}) as context:
        page = context.new_page()
        requests: list[str] = []
        problems: list[str] = []
        page.on("request", lambda request: requests.append(request.url.split(":")[0]))
        page.on("console", lambda message: problems.append(message.text))
        page.goto(page_file.as_uri())
        page.locator("article img").last.scroll_into_view_if_needed()
        wait_until(lambda: page.evaluate("[...document.images].at(-1).complete"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("[...document.images].at(-1).naturalWidth") > 0
        assert page.locator("article").count() == 9
        assert page.get_by_text(DISCLAIMER).count() == 2
        assert page.get_by_role("row").count() == 8 * 8
        assert set(requests) <= {"file", "data"}
        assert problems == []
