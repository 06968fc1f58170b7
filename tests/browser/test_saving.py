"""Keeping an analysed photo among the records, whatever happens to the connection on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kept import Kept, keeping
from proxy import Proxy, proxy_to

from lesionlens import Classifier
from serving import Running, draw_lesion, encode, running, wait_until

pytestmark = pytest.mark.browser

PHOTO = encode(draw_lesion(1200, 900), "JPEG", quality=95)
PASSWORD = "a password of the tests"


@pytest.fixture
def kept(classifier: Classifier, tmp_path: Path) -> Iterator[Kept]:
    with keeping(classifier, tmp_path) as kept:
        yield kept


@pytest.fixture
def proxy(kept: Kept) -> Iterator[Proxy]:
    with proxy_to(kept.url) as proxy:
        yield proxy


def analyse(page: Any) -> None:
    page.set_input_files("#file", files=[{"name": "lesion.jpg", "mimeType": "image/jpeg", "buffer": PHOTO}])
    page.wait_for_selector("#headline")


def open_dialog(page: Any) -> None:
    analyse(page)
    page.click("#save")
    page.wait_for_selector("dialog #field-lesion")


def press_save(page: Any) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def visits(kept: Kept) -> list[Any]:
    found: list[Any] = kept.ask("GET", "visits")["items"]
    return found


def test_a_photo_is_saved_to_a_new_lesion_of_a_new_person(visit: Callable[..., Any], kept: Kept) -> None:
    visited = visit(kept)
    page = visited.page
    open_dialog(page)
    page.get_by_label("What shall they be called?").fill("Me")
    page.get_by_label("Part of the body").select_option("back")
    page.get_by_label("Place").select_option(label="nape")
    page.get_by_label("Taken on").fill("2026-03-04T15:16")
    page.get_by_label("Note").fill("itches")
    press_save(page)
    page.click(".toast button:has-text('Show')")
    page.wait_for_selector("ll-lesion")
    [person] = kept.ask("GET", "people")["items"]
    [lesion] = kept.ask("GET", "lesions")["items"]
    [stored] = visits(kept)
    assert person["label"] == "Me"
    assert (lesion["person_id"], lesion["view"], lesion["site"]) == (person["id"], "back", "nape")
    assert 0 < lesion["x"] < 1
    assert 0 < lesion["y"] < 1
    assert (stored["lesion_id"], stored["note"]) == (lesion["id"], "itches")
    assert page.evaluate("(t) => new Date(t).getTime() === new Date('2026-03-04T15:16').getTime()", stored["taken_at"])
    assert len(stored["analyses"]) == 1
    assert kept.server.get(f"/v1/visits/{stored['id']}/photo").content == PHOTO  # not a byte was changed
    assert page.url.endswith(lesion["id"])
    assert visited.complaints == []


def test_a_photo_is_saved_to_a_lesion_that_is_known(visit: Callable[..., Any], kept: Kept) -> None:
    kept.lesion(kept.person("Zoe"), site="chin")
    wanted = kept.lesion(kept.person("Ada"), site="left shoulder")
    page = visit(kept).page
    open_dialog(page)
    page.get_by_label("Whose lesion is it?").select_option(label="Ada")
    page.wait_for_function("document.querySelector('#field-lesion').textContent.includes('left shoulder')")
    assert page.locator("#field-lesion option:checked").inner_text() == "left shoulder"
    assert not page.is_visible("#field-view")
    press_save(page)
    page.wait_for_selector(".toast:has-text('Saved to left shoulder')")
    assert [stored["lesion_id"] for stored in visits(kept)] == [wanted]


def test_what_is_not_accepted_is_told_and_can_be_corrected(visit: Callable[..., Any], kept: Kept) -> None:
    page = visit(kept).page
    open_dialog(page)
    page.get_by_label("What shall they be called?").fill("   ")
    press_save(page)
    page.wait_for_selector("dialog .problem:not(:empty)")
    assert visits(kept) == []
    page.get_by_label("What shall they be called?").fill("Me")
    press_save(page)
    page.wait_for_selector(".toast:has-text('Saved')")
    assert len(visits(kept)) == 1
    assert page.locator("ll-banner .banner").count() == 0  # and nothing waits


def test_a_connection_lost_in_mid_upload_loses_and_doubles_nothing(
    visit: Callable[..., Any], kept: Kept, proxy: Proxy
) -> None:
    kept.lesion(kept.person(), site="chin")
    page = visit(proxy).page
    open_dialog(page)
    proxy.cut_upload_after = len(PHOTO) // 2
    press_save(page)
    page.wait_for_selector("ll-banner:has-text('1 photo waits')")
    wait_until(lambda: proxy.cuts > 0)
    assert visits(kept) == []
    page.reload()  # even a page that was closed forgets nothing
    page.wait_for_selector("ll-banner:has-text('1 photo waits')")
    proxy.cut_upload_after = None
    page.click("text=Send now")
    page.wait_for_selector(".toast:has-text('is saved')")
    page.wait_for_selector("ll-banner:not(:has-text('waits'))", state="attached")
    [stored] = visits(kept)
    assert kept.server.get(f"/v1/visits/{stored['id']}/photo").content == PHOTO


def test_an_answer_that_is_lost_doubles_nothing(visit: Callable[..., Any], kept: Kept, proxy: Proxy) -> None:
    """The service has stored the photo, and the page cannot know: the second attempt must change nothing."""
    page = visit(proxy).page
    open_dialog(page)
    page.get_by_label("What shall they be called?").fill("Me")
    proxy.swallow_answer = True
    press_save(page)
    page.wait_for_selector("ll-banner:has-text('1 photo waits')")
    assert proxy.cuts >= 1  # browsers send a request again by themselves when a connection that was in use breaks
    assert len(visits(kept)) == 1
    proxy.swallow_answer = False
    page.click("text=Send now")
    page.wait_for_selector(".toast:has-text('is saved')")
    assert len(visits(kept)) == len(kept.ask("GET", "people")["items"]) == len(kept.ask("GET", "lesions")["items"]) == 1


def test_a_service_that_restarts_gets_the_photo_by_itself(
    visit: Callable[..., Any], classifier: Classifier, tmp_path: Path
) -> None:
    with keeping(classifier, tmp_path) as first, proxy_to(first.url) as proxy:
        first.lesion(first.person(), site="chin")
        page = visit(proxy).page
        open_dialog(page)
        proxy.upstream = None
        press_save(page)
        page.wait_for_selector("ll-banner:has-text('1 photo waits')")
        page.wait_for_selector("ll-banner:has-text('cannot be reached')")
        first.server.server.should_exit = True
        first.server.thread.join()
        with keeping(classifier, tmp_path) as second:
            proxy.upstream = int(second.url.rsplit(":", 1)[1])
            page.wait_for_selector("ll-banner:not(:has-text('waits'))", state="attached")  # nobody has to do anything
            wait_until(lambda: len(visits(second)) == 1)


def test_two_tabs_send_what_waits_once(visit: Callable[..., Any], kept: Kept, proxy: Proxy) -> None:
    kept.lesion(kept.person(), site="chin")
    page = visit(proxy).page
    other = page.context.new_page()
    other.goto(proxy.url)
    other.wait_for_selector("ll-picker label")
    open_dialog(page)
    proxy.upstream = None
    press_save(page)
    for tab in (page, other):
        tab.wait_for_selector("ll-banner:has-text('1 photo waits')")
    proxy.upstream = int(kept.url.rsplit(":", 1)[1])
    for tab in (page, other):
        tab.evaluate("[...document.querySelectorAll('ll-banner button')].at(-1)?.click()")
    for tab in (page, other):
        tab.wait_for_selector("ll-banner:not(:has-text('waits'))", state="attached")
    assert len(visits(kept)) == 1


def test_a_photo_that_is_refused_later_stays_until_somebody_decides(
    visit: Callable[..., Any], kept: Kept, proxy: Proxy
) -> None:
    lesion = kept.lesion(kept.person(), site="chin")
    page = visit(proxy).page
    open_dialog(page)
    proxy.upstream = None
    press_save(page)
    page.wait_for_selector("ll-banner:has-text('1 photo waits')")
    kept.ask("DELETE", f"lesions/{lesion}")
    kept.ask("POST", f"lesions/{lesion}/erase")
    proxy.upstream = int(kept.url.rsplit(":", 1)[1])
    page.wait_for_selector("ll-banner:has-text('was not accepted')")
    with page.expect_download() as download:
        page.click("ll-banner button:has-text('Download')")
    assert Path(download.value.path()).read_bytes() == PHOTO
    page.click("ll-banner button:has-text('Discard')")
    assert page.evaluate("document.activeElement.textContent") == "Cancel"  # Enter destroys nothing
    page.click("dialog button:has-text('Discard')")
    page.wait_for_selector("ll-banner:not(:has(.banner))", state="attached")


def test_without_records_saving_says_why_and_analysing_works(visit: Callable[..., Any], classifier: Classifier) -> None:
    with running(classifier, tracker="off") as server:
        reason = server.get("/v1/tracker").json()["reason"]
        page = visit(server).page
        analyse(page)
        page.click("#save")
        assert reason in page.wait_for_selector("dialog").inner_text()
        page.click("dialog button")
        page.click("nav a[href='#/body']")
        assert reason in page.wait_for_selector("main [role=alert]").inner_text()


@pytest.fixture
def locked(classifier: Classifier, tmp_path: Path) -> Iterator[Running]:
    """A service that keeps records behind a password."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESIONLENS_DATA_DIR", str(tmp_path))
        with running(classifier, password=PASSWORD) as server:
            yield server


def test_a_password_is_asked_for_once(visit: Callable[..., Any], locked: Running) -> None:
    page = visit(locked).page
    analyse(page)  # which needs no password
    page.click("#save")
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog:has-text('That is not the password')")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#field-lesion")
    page.get_by_label("What shall they be called?").fill("Me")
    press_save(page)
    page.wait_for_selector(".toast:has-text('Saved')")
    page.context.clear_cookies()  # as when the session has run out
    page.reload()
    page.click("nav a[href='#/body']")
    page.wait_for_selector("dialog #field-password")
    page.keyboard.press("Escape")
    assert "need a password" in page.wait_for_selector("main [role=alert]").inner_text()
    assert locked.get("/v1/people").status_code == 401


def test_who_logged_in_can_log_out(visit: Callable[..., Any], locked: Running) -> None:
    page = visit(locked, path="/#/about").page
    page.wait_for_load_state("networkidle")
    log_out = page.get_by_role("button", name="Log out")
    assert log_out.count() == 0  # before there is anything to log out of
    page.click("nav a[href='#/body']")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("ll-body .welcome")
    page.click("nav a[href='#/about']")
    with page.expect_navigation():
        log_out.click()
    assert page.context.cookies() == []
    page.click("nav a[href='#/body']")
    page.wait_for_selector("dialog #field-password")


def test_nobody_logs_out_where_no_password_is_needed(visit: Callable[..., Any], kept: Kept) -> None:
    page = visit(kept, path="/#/about").page
    page.wait_for_load_state("networkidle")
    assert page.get_by_role("button", name="Read the limits again").count() == 1
    assert page.get_by_role("button", name="Log out").count() == 0
