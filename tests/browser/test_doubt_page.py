"""The page when the model doubts: photos that it should not judge, answers that it is not sure of, prediction sets."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contrast import CONTRAST
from PIL import Image

from fitted import LIKE, UNLIKE
from lesionlens import CODES, DISCLAIMER, Classifier
from lesionlens.inference.records import OperatingPoint, PredictionSetRule
from lesionlens.taxonomy import BY_CODE
from serving import Running, encode, running, with_manifest

pytestmark = pytest.mark.browser

POINT = OperatingPoint(name="s90", threshold=0.0, sensitivity=0.9, specificity=0.7, measured_on="a test")
HEADLINE = "This does not look like a dermoscopic image"


@pytest.fixture(scope="module")
def doubting(fitted: Classifier) -> Iterator[Running]:
    """A service whose model has rules, statistics and an operating point that every photo reaches."""
    with running(with_manifest(fitted, operating_points=(POINT,))) as server:
        yield server


def ask(visited: Any, data: bytes) -> Any:
    page = visited.page
    page.set_input_files("#file", files=[{"name": "photo", "mimeType": "image/png", "buffer": data}])
    page.wait_for_selector("#headline")
    return page


def told(server: Running, data: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = server.post("/v1/analyses", files={"file": ("a.png", data)}).json()
    return answer


def top_of(page: Any, selector: str) -> float:
    return float(page.locator(selector).first.bounding_box()["y"])


def colours_of_bars(page: Any) -> set[str]:
    return set(page.locator(".bars .fill").evaluate_all("all => all.map((e) => getComputedStyle(e).backgroundColor)"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_an_unsuitable_photo_is_called_so_before_anything_else(
    visit: Callable[..., Any], doubting: Running, width: int, scheme: str
) -> None:
    visited = visit(doubting, width=width, scheme=scheme)
    page = ask(visited, UNLIKE)
    answer = told(doubting, UNLIKE)
    assert page.inner_text("#headline") == HEADLINE
    assert page.locator(".reasons li").all_inner_texts() == [r["message"] for r in answer["suitability"]["reasons"]]
    assert answer["prediction"]["name"] not in page.inner_text(".answer")
    assert top_of(page, "#headline") < top_of(page, ".reasons") < top_of(page, "#malignant") < top_of(page, ".bars")
    headline, footer = (page.locator(name).bounding_box() for name in ("#headline", ".disclaimer"))
    assert headline["y"] + headline["height"] < footer["y"]  # seen whole without scrolling
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    assert DISCLAIMER in page.inner_text(".disclaimer")
    assert visited.complaints == []


def test_what_was_computed_for_it_stays_and_is_subdued(
    visit: Callable[..., Any], doubting: Running, plain: Classifier
) -> None:
    page = ask(visit(doubting), UNLIKE)
    assert page.locator(".bars li").count() == 8
    assert len(colours_of_bars(page)) == 1  # no longer those of cancer and harmless
    assert page.locator(".card.subdued").count() == 2
    assert page.inner_text("ll-bars").count("not to be relied on") == 1
    assert page.locator(".points").count() == 0  # nobody is to read a mark as found or not
    assert page.locator("#possible").count() == 0  # what sets cover was never measured on such photos
    with running(with_manifest(plain, confidence_threshold=0.0)) as server:
        page = ask(visit(server), UNLIKE)
        assert page.inner_text("#headline") == told(server, UNLIKE)["prediction"]["name"]  # cannot know better
        assert len(colours_of_bars(page)) == 2
        assert page.locator(".subdued").count() == 0


def test_doubt_is_heard(visit: Callable[..., Any], doubting: Running, fitted: Classifier) -> None:
    page = ask(visit(doubting), UNLIKE)
    assert page.inner_text("[role=status]") == f"{HEADLINE}."
    assert page.evaluate("document.activeElement.id") == "headline"
    described = page.get_attribute("#headline", "aria-describedby").split()
    assert all(page.locator(f"#{name}").count() == 1 for name in described)
    assert page.get_by_role("heading", level=1, name=HEADLINE).count() == 1
    assert page.get_by_role("region", name=HEADLINE).count() == 1
    page.locator(".brand").focus()
    reached = set()
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"heat-class", "heat-opacity", "file"} <= reached
    with running(with_manifest(fitted, confidence_threshold=1.0)) as server:
        page = ask(visit(server), LIKE)
        assert page.inner_text("[role=status]") == "Not confident."


@pytest.mark.parametrize("width", [390, 1280])
def test_not_confident_keeps_what_still_counts(visit: Callable[..., Any], fitted: Classifier, width: int) -> None:
    model = with_manifest(fitted, confidence_threshold=1.0, operating_points=(POINT,))
    with running(model) as server:
        visited = visit(server, width=width)
        page = ask(visited, LIKE)
        assert page.inner_text("#headline") == "Not confident"
        assert len(colours_of_bars(page)) == 1
        assert page.inner_text("ll-bars").count("None reached 100%.") == 1
        # The sum may be high although no diagnosis is: its marks stay, and so does the set.
        assert page.locator(".points .reached").count() == 1
        assert page.locator("#possible").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CONTRAST) == []
        assert visited.complaints == []


def test_a_prediction_set_in_words(visit: Callable[..., Any], fitted: Classifier) -> None:
    [analysis] = fitted.analyse([Image.open(io.BytesIO(LIKE)).convert("RGB")])
    ordered = sorted(analysis.probabilities.tolist(), reverse=True)
    for size in (1, 2, 3, 8):
        rule = PredictionSetRule(coverage=0.9, threshold=1 - ordered[size - 1] + 1e-6)
        with running(with_manifest(fitted, prediction_set=rule, confidence_threshold=0.0)) as server:
            codes = told(server, LIKE)["prediction_set"]["codes"]
            text = ask(visit(server), LIKE).inner_text(".set")
        names = [BY_CODE[code].name for code in codes]
        assert len(names) == size
        listed = {
            1: "With 90% coverage, the diagnosis is: {}.",
            2: "With 90% coverage, the diagnosis is among: {} or {}.",
            3: "With 90% coverage, the diagnosis is among: {}, {} or {}.",
            8: "With 90% coverage, the diagnosis is any of them: the model rules none out.",
        }
        assert listed[size].format(*names) in text
        assert ("Cancer or its early form is among them" in text) is any(BY_CODE[code].malignant for code in codes)
        assert "about 90 times in 100" in text
        assert "no 90% chance for this photo" in text


def test_a_model_without_a_rule_shows_no_set(visit: Callable[..., Any], plain: Classifier) -> None:
    with running(plain) as server:
        page = ask(visit(server), LIKE)
        assert page.locator("#possible").count() == 0
        assert page.locator("ll-bars .bars li").count() == len(CODES)


def test_advice_for_a_better_photo(visit: Callable[..., Any], plain: Classifier) -> None:
    dark = encode(Image.open(io.BytesIO(LIKE)).convert("RGB").resize((40, 32)).point(lambda v: v // 6))
    with running(plain) as server:
        hints = told(server, dark)["quality"]["hints"]
        assert hints
        page = ask(visit(server), dark)
        assert page.locator(".hints li").all_inner_texts() == [hint["message"] for hint in hints]
        assert page.get_by_role("region", name="For a better photo").count() == 1
