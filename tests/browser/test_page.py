"""The page, as a person uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from contrast import CONTRAST

from lesionlens import CODES, DIAGNOSES, DISCLAIMER, Classifier
from lesionlens.inference.bundle import OperatingPoint
from serving import GatedEngine, Running, behind, draw_lesion, encode, running, wait_until, with_manifest

pytestmark = pytest.mark.browser

PHOTO = encode(draw_lesion(640, 480), "JPEG")


def choose(page: Any, data: bytes = PHOTO, media_type: str = "image/jpeg") -> None:
    page.set_input_files("#file", files=[{"name": "lesion.jpg", "mimeType": media_type, "buffer": data}])


def answer(page: Any, data: bytes = PHOTO, media_type: str = "image/jpeg") -> str:
    choose(page, data, media_type)
    page.wait_for_selector("#headline")
    return str(page.inner_text("#headline"))


def hash_of_picture(page: Any) -> str:
    return str(page.eval_on_selector("ll-photo canvas", "canvas => canvas.toDataURL()"))


def assert_kept_to_itself(visited: Any, server: Running) -> None:
    elsewhere = [url for url in visited.requested if not url.startswith((server.url, "blob:", "data:"))]
    assert elsewhere == []
    assert visited.complaints == []


def test_a_photo_gets_its_answer(visit: Callable[..., Any], plain: Classifier, real_sample: dict[str, bytes]) -> None:
    with running(plain) as server:
        visited = visit(server)
        page = visited.page
        for data in list(real_sample.values())[:3]:
            expected = server.post("/v1/analyses", files={"file": ("a.jpg", data)}).json()
            with page.expect_response("**/v1/analyses?maps=all"):
                choose(page, data)
            page.wait_for_selector(f"#headline:has-text('{expected['prediction']['name']}')")
            assert page.inner_text(".bars li:first-child abbr") == expected["most_probable"]["code"]
        assert_kept_to_itself(visited, server)


def test_the_answer_in_words(visit: Callable[..., Any], plain: Classifier) -> None:
    point = OperatingPoint(name="s90", threshold=0.0, sensitivity=0.9, specificity=0.7, measured_on="a test")
    sure = with_manifest(plain, temperature=0.01, operating_points=(point,))
    with running(sure) as server:
        visited = visit(server)
        headline = answer(visited.page)
        text = visited.page.inner_text(".panel")
        assert_kept_to_itself(visited, server)
    [kind] = [d for d in DIAGNOSES if d.name == headline]
    assert kind.description in text
    assert ("dermatologist can tell" if kind.malignant else "Have the lesion looked at") in text
    assert "finds 90% of cancers and wrongly flags 30% of harmless lesions" in text
    assert len(visited.page.query_selector_all(".bars li")) == 8


def test_a_harmless_answer_reassures_only_below_every_mark(visit: Callable[..., Any], plain: Classifier) -> None:
    """The drawn photo's answer is a harmless one, which is what this is about."""
    for threshold, expected in ((0.0, "Have the lesion looked at"), (1.0, "misses some cancers")):
        point = OperatingPoint(name="s", threshold=threshold, sensitivity=0.9, specificity=0.7, measured_on="a test")
        model = with_manifest(plain, operating_points=(point,), confidence_threshold=0.0)
        with running(model) as server:
            shown = server.post("/v1/analyses", files={"file": ("a.jpg", PHOTO)}).json()
            if shown["prediction"]["malignant"]:
                pytest.skip("this model finds the drawn lesion malignant")
            page = visit(server).page
            answer(page)
            assert expected in page.inner_text(".answer")


def test_not_confident_is_an_answer(visit: Callable[..., Any], plain: Classifier) -> None:
    with running(with_manifest(plain, temperature=50.0)) as server:
        page = visit(server).page
        assert answer(page) == "Not confident"
        text = page.inner_text(".answer")
    assert "No diagnosis reached 50%" in text
    assert "says nothing about whether the lesion is harmless" in text
    assert page.query_selector(".failure") is None


def test_heatmap_follows_class_and_slider(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server).page
    answer(page)
    assert page.locator("#heat-class option").evaluate_all("os => os.map((o) => o.value)") == list(CODES)
    first = hash_of_picture(page)
    other = next(code for code in CODES if code != page.input_value("#heat-class"))
    page.get_by_label("Where it looked for").select_option(other)
    second = hash_of_picture(page)
    assert second != first
    slider = page.get_by_role("slider", name=re.compile("Heatmap"))
    slider.fill("0")
    plain = hash_of_picture(page)
    assert plain != second
    page.get_by_label("Where it looked for").select_option(CODES[0])
    assert hash_of_picture(page) == plain  # at 0 there is only the photo
    slider.press("ArrowRight")
    assert page.inner_text("output") == "1%"


def test_heatmap_lies_on_what_the_network_saw(visit: Callable[..., Any], classifier: Classifier) -> None:
    """Outside the box, and only there, the picture is the photo."""
    photo = encode(draw_lesion(640, 480), "PNG")
    square = classifier.manifest.preprocessing.model_copy(update={"fit": "center_crop"})
    with running(with_manifest(classifier, preprocessing=square)) as server:
        page = visit(server).page
        answer(page, photo, "image/png")
        box = server.post("/v1/analyses", files={"file": ("a.png", photo)}).json()["seen_box"]
    assert 0 < box["left"] < box["right"] < 1
    outside_left, inside, outside_right = page.evaluate(
        """([left, right]) => {
          const canvas = document.querySelector("ll-photo canvas");
          const columns = (share) => Math.round(share * canvas.width);
          const read = () => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          const slider = document.querySelector("#heat-opacity");
          const set = (value) => { slider.value = value; slider.dispatchEvent(new Event("input")); };
          set(100); const hot = read(); set(0); const cold = read();
          const changed = [0, 0, 0];
          hot.forEach((value, i) => {
            const x = Math.floor(i / 4) % canvas.width;
            if (value !== cold[i]) changed[x < columns(left) - 1 ? 0 : x > columns(right) ? 2 : 1]++;
          });
          return changed;
        }""",
        [box["left"], box["right"]],
    )
    assert outside_left == outside_right == 0
    assert inside > 1000


def test_photo_is_shown_upright(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server).page
    answer(page, encode(draw_lesion(640, 480), "JPEG", orientation=6))
    assert page.eval_on_selector("ll-photo canvas", "c => [c.width, c.height]") == [480, 640]


def test_progress_is_shown_and_a_newer_photo_wins(visit: Callable[..., Any], plain: Classifier) -> None:
    model, engine = behind(GatedEngine, with_manifest(plain, confidence_threshold=0.0))
    with running(model) as server:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        page = visit(server).page
        choose(page)
        page.wait_for_selector("text=Analysing the photo…")
        assert page.inner_text("[role=status]") == "Analysing the photo."
        choose(page, encode(draw_lesion(200, 100), "PNG"), "image/png")
        engine.gate.set()
        page.wait_for_selector("text=200 × 100 PNG")
        assert page.inner_text("[role=status]") == ""  # the answer, which is confident, has the focus


# Photos wider than 400 pixels are shown only when the test says so.
SLOW_TO_SHOW = """() => {
  const decode = window.createImageBitmap.bind(window);
  let open;
  const gate = new Promise((resolve) => (open = resolve));
  window.late = { open, closed: 0 };
  window.createImageBitmap = async (...given) => {
    const bitmap = await decode(...given);
    if (bitmap.width > 400) {
      const close = bitmap.close.bind(bitmap);
      bitmap.close = () => { window.late.closed++; close(); };
      await gate;
    }
    return bitmap;
  };
}"""


def let_the_late_photo_through(page: Any) -> None:
    page.evaluate("() => { window.late.open(); return new Promise((done) => setTimeout(done, 100)); }")


def test_a_photo_that_is_slow_to_show_does_not_replace_a_newer_one(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server).page
    page.wait_for_selector("ll-picker label")
    page.evaluate(SLOW_TO_SHOW)
    choose(page)
    page.wait_for_selector("text=Analysing the photo…")
    choose(page, encode(draw_lesion(200, 100), "PNG"), "image/png")
    page.wait_for_selector("text=200 × 100 PNG")
    let_the_late_photo_through(page)
    assert page.eval_on_selector("ll-photo canvas", "c => [c.width, c.height]") == [200, 100]
    assert page.is_visible("#heat-class")
    assert page.evaluate("window.late.closed") == 1  # its memory is given back


def test_a_photo_that_is_slow_to_show_does_not_stand_beside_a_failure(
    visit: Callable[..., Any], classifier: Classifier
) -> None:
    with running(classifier, max_pixels=10_000) as server:
        page = visit(server).page
        page.wait_for_selector("ll-picker label")
        page.evaluate(SLOW_TO_SHOW)
        choose(page)
        page.wait_for_selector("[role=alert]")
        let_the_late_photo_through(page)
        assert page.query_selector("ll-photo canvas") is None


def test_an_unusable_photo_is_explained_and_the_next_one_works(visit: Callable[..., Any], server: Running) -> None:
    visited = visit(server)
    choose(visited.page, b"this is no photo")
    alert = visited.page.wait_for_selector("[role=alert]")
    assert "Not a photo in an accepted format" in alert.inner_text()
    assert "JPEG" in alert.inner_text()
    assert answer(visited.page)
    assert visited.page.query_selector("[role=alert]") is None
    # Chromium itself reports the refused request; nothing else is said.
    assert all("415" in complaint for complaint in visited.complaints)


def test_an_unreachable_service_is_explained(visit: Callable[..., Any], classifier: Classifier) -> None:
    with running(classifier) as server:
        page = visit(server).page
        page.wait_for_selector("ll-model a")
    choose(page)
    assert "The service cannot be reached" in page.wait_for_selector("[role=alert]").inner_text()


def test_a_photo_that_the_browser_cannot_show_is_still_answered(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server).page
    assert answer(page, encode(draw_lesion(), "TIFF"), "image/tiff")
    assert "cannot show this format" in page.inner_text("ll-photo")


def send_files(page: Any, event: str, attribute: str) -> None:
    page.evaluate(
        """([bytes, event, attribute]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "lesion.jpg", { type: "image/jpeg" }));
          const made = new (event === "paste" ? ClipboardEvent : DragEvent)(event, { [attribute]: transfer,
            bubbles: true, cancelable: true });
          document.body.dispatchEvent(made);
        }""",
        [list(PHOTO), event, attribute],
    )


@pytest.mark.parametrize(("event", "attribute"), [("drop", "dataTransfer"), ("paste", "clipboardData")])
def test_dropping_and_pasting(visit: Callable[..., Any], server: Running, event: str, attribute: str) -> None:
    page = visit(server).page
    page.wait_for_selector("ll-picker label")
    send_files(page, event, attribute)
    page.wait_for_selector("#headline")


def test_keyboard_reaches_everything(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server).page
    answer(page)
    assert page.evaluate("document.activeElement.id") == "headline"  # a screen reader reads the answer first
    page.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges()")
    page.locator(".brand").focus()
    reached = set()
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"heat-class", "heat-opacity", "file"} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_runs_over_the_edge_and_the_disclaimer_is_seen(
    visit: Callable[..., Any], server: Running, width: int, scheme: str
) -> None:
    visited = visit(server, width=width, scheme=scheme)
    for step in (lambda: visited.page.wait_for_selector("ll-picker label"), lambda: answer(visited.page)):
        step()
        assert visited.page.evaluate("document.documentElement.scrollWidth") <= width
        assert visited.page.locator(".disclaimer").bounding_box()["y"] < 844
        assert DISCLAIMER in visited.page.inner_text(".disclaimer")
    assert visited.page.evaluate(CONTRAST) == []
    assert_kept_to_itself(visited, server)


def test_model_is_named(visit: Callable[..., Any], server: Running, classifier: Classifier) -> None:
    page = visit(server).page
    page.wait_for_selector("ll-model a")
    assert f"{classifier.manifest.name} {classifier.manifest.version}" in page.inner_text("ll-model")


def test_the_reference_needs_no_other_host(visit: Callable[..., Any], server: Running) -> None:
    visited = visit(server, path="/docs", width=390)
    visited.page.wait_for_selector("details")
    visited.page.click("summary:has-text('/v1/analyses')")
    text = visited.page.inner_text("#reference")
    for expected in ("/predict", "/v1/model/card", "multipart/form-data", "seen_box", '"probabilities"'):
        assert expected in text
    assert visited.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visited.page.evaluate(CONTRAST) == []
    visited.page.click(".brand")
    visited.page.wait_for_selector("ll-picker label")
    assert_kept_to_itself(visited, server)
