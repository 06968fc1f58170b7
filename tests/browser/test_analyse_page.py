"""The ways from a lesion to an answer: camera, large photos, samples, changing one's mind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lesionlens import Classifier
from serving import GatedEngine, Running, behind, draw_lesion, encode, running, wait_until

pytestmark = pytest.mark.browser


def choose(page: Any, *photos: bytes) -> None:
    files = [{"name": "lesion.jpg", "mimeType": "image/jpeg", "buffer": photo} for photo in photos]
    page.set_input_files("#file", files=files)


def test_the_camera_takes_a_photo(visit: Callable[..., Any], server: Running) -> None:
    visited = visit(server, permissions=["camera"])
    page = visited.page
    page.click("#camera")
    page.wait_for_selector("dialog .ring")
    assert page.get_by_role("dialog", name="Take a photo").count() == 1
    shoot = page.get_by_role("button", name="Take the photo")
    shoot.click()
    page.wait_for_selector("dialog img")
    assert not page.is_visible("dialog video")
    page.get_by_role("button", name="Take another").click()
    page.wait_for_selector("dialog video")
    shoot.click()
    page.get_by_role("button", name="Use this photo").click()
    page.wait_for_selector("#headline")
    width, height = page.eval_on_selector("ll-photo canvas", "c => [c.width, c.height]")
    assert width > 300
    assert height > 200
    assert f"{'JPEG' if 'JPEG' in page.inner_text('.provenance') else 'PNG'}" in page.inner_text(".provenance")
    assert visited.complaints == []


def test_leaving_the_camera_turns_it_off(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server, permissions=["camera"]).page
    page.wait_for_selector("#camera")
    page.evaluate(
        """() => { const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async (wanted) => (window.stream = await ask(wanted)); }"""
    )
    page.click("#camera")
    page.wait_for_selector("dialog .ring")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert page.evaluate("window.stream.getTracks().map((track) => track.readyState)") == ["ended"]
    assert page.locator(".intro").count() == 1
    assert page.evaluate("document.activeElement.id") == "camera"


def test_a_camera_that_may_not_be_used_is_explained(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server, permissions=[]).page
    page.click("#camera")
    page.wait_for_selector("dialog:has-text('may not use the camera')")
    assert not page.is_enabled("text=Take the photo")


def test_a_phone_uses_its_own_camera(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server, width=390, has_touch=True, is_mobile=True).page
    page.wait_for_selector(".native")
    assert page.get_attribute("#camera", "capture") == "environment"
    page.set_input_files(
        "#camera", files=[{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": encode(draw_lesion(), "JPEG")}]
    )
    page.wait_for_selector("#headline")


def test_a_photo_of_twelve_megapixels(visit: Callable[..., Any], server: Running) -> None:
    photo = encode(draw_lesion(4032, 3024), "JPEG", quality=90)
    page = visit(server).page
    page.wait_for_selector("ll-picker label")
    choose(page, photo)
    page.wait_for_selector("#headline")
    assert "4032 × 3024 JPEG" in page.inner_text(".provenance")  # as it was taken: nothing shrank it on the way


def test_an_analysis_can_be_cancelled_and_blocks_nothing(visit: Callable[..., Any], classifier: Classifier) -> None:
    model, engine = behind(GatedEngine, classifier)
    with running(model) as server:
        wait_until(lambda: server.state.warm)
        engine.gate.clear()
        page = visit(server).page
        choose(page, encode(draw_lesion(), "JPEG"))
        page.wait_for_selector("text=Analysing the photo…")
        page.click("nav a[href='#/about']")  # while it is at work
        page.wait_for_selector("ll-about")
        page.click("nav a[href='#/']")
        page.get_by_role("button", name="Cancel").click()
        page.wait_for_selector(".intro")
        assert page.evaluate("document.activeElement.id") == "file"
        engine.gate.set()
        choose(page, encode(draw_lesion(200, 100), "PNG"))
        page.wait_for_selector("text=200 × 100 PNG")


def test_several_photos_are_pointed_to_the_batch(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server).page
    page.wait_for_selector("ll-picker label")
    page.evaluate(
        """(bytes) => { const transfer = new DataTransfer();
          for (const name of ["a.jpg", "b.jpg"])
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
          document.body.dispatchEvent(
            new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })); }""",
        list(encode(draw_lesion(), "JPEG")),
    )
    page.wait_for_selector("#headline")
    page.click(".toast button")
    page.wait_for_selector("ll-batch")


def test_what_to_do_is_said_for_every_answer(visit: Callable[..., Any], server: Running) -> None:
    page = visit(server).page
    page.locator(".samples button").first.click()
    page.wait_for_selector("#headline")
    text = page.get_by_role("region", name="What should I do?").inner_text()
    assert "see a doctor soon if" in text
    assert "bleeds" in text
