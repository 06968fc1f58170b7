"""Many photos at once, on the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe import violations
from contrast import CONTRAST

from fitted import LIKE, UNLIKE
from lesionlens import Classifier
from lesionlens.bulk import classify_files, find_pictures, open_writer
from serving import GatedEngine, Running, behind, encode, running, wait_until
from synthetic import jpeg, lesion

pytestmark = pytest.mark.browser

FILES, FOLDER = "ll-batch input[multiple]", "ll-batch input[webkitdirectory]"
PICTURED_NAMES = """() => [...document.querySelectorAll(".thumb")]
  .filter((thumb) => thumb.style.backgroundImage).map((thumb) => thumb.nextSibling.textContent)"""
LAID_OUT = """() => [...document.querySelectorAll(".thumb")]
  .filter((thumb) => thumb.checkVisibility({ contentVisibilityAuto: true })).length"""
PICTURED = f"() => ({PICTURED_NAMES})().length"
BROKEN = LIKE[: len(LIKE) // 2]


@pytest.fixture(scope="module")
def doubting(fitted: Classifier) -> Iterator[Running]:
    """A service whose model has rules and statistics, and which keeps no records."""
    with running(fitted, tracker="off") as server:
        yield server


def batch(visit: Callable[..., Any], server: Running, **options: Any) -> Any:
    visited = visit(server, path="/#/batch", **options)
    visited.page.wait_for_selector("ll-batch h1")
    return visited


def choose(page: Any, files: dict[str, bytes]) -> None:
    payload = [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in files.items()]
    page.set_input_files(FILES, files=payload)


def finish(page: Any, photos: int) -> None:
    wait_until(lambda: page.inner_text(".tally").startswith(f"{photos} of {photos}"), 120)


def names(page: Any) -> list[str]:
    return [str(name) for name in page.locator(".rows li > :nth-child(2)").all_text_contents()]


def answers(page: Any) -> list[str]:
    return [str(name) for name in page.locator(".rows .verdict strong").all_text_contents()]


def download(page: Any) -> str:
    with page.expect_download() as event:
        page.get_by_role("button", name="Download CSV").click()
    assert event.value.suggested_filename == "lesionlens-results.csv"
    return Path(event.value.path()).read_bytes().decode("utf-8")


def drawn(count: int) -> dict[str, bytes]:
    return {f"{i:04}.jpg": jpeg(lesion(i % 8, i)) for i in range(count)}


def folder_of(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    files = {"b.jpg": LIKE, "a/2.JPG": jpeg(lesion(2, 5)), "a/10.png": UNLIKE, "broken.jpg": BROKEN, "notes.txt": b"no"}
    for name, data in (files | {".hidden.jpg": LIKE, "b-heatmap.png": UNLIKE}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_rows_fill_and_one_bad_photo_stops_nothing(visit: Callable[..., Any], doubting: Running) -> None:
    visited = batch(visit, doubting)
    page = visited.page
    files = {"broken.jpg": BROKEN, "good.jpg": LIKE, "gradient.png": UNLIKE, "words.jpg": b"no picture"}
    choose(page, files)
    finish(page, 4)
    assert names(page) == sorted(files)
    told = {name: doubting.post("/v1/analyses", files={"file": (name, data)}).json() for name, data in files.items()}
    good = told["good.jpg"]
    expected = good["prediction"]["name"] if good["confident"] else "Not confident"
    assert answers(page) == ["Failed", expected, "Not like a dermoscopic image", "Failed"]
    text = page.inner_text(".rows")
    assert told["broken.jpg"]["detail"] in text
    assert told["words.jpg"]["detail"] in text
    assert told["gradient.png"]["suitability"]["reasons"][0]["message"] in text
    assert "2 failed" in page.inner_text(".tally")
    assert page.inner_text(".job [role=status]") == "Done."
    assert [each for each in visited.complaints if "status of 4" not in each] == []  # the two that were refused
    assert "not a medical device" in page.inner_text("ll-batch")


def test_csv_is_that_of_the_command_line(
    visit: Callable[..., Any], doubting: Running, fitted: Classifier, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path)
    (folder / '=1+1,"x".jpg').write_bytes(LIKE)
    page = batch(visit, doubting).page
    page.set_input_files(FOLDER, str(folder))
    finish(page, 5)
    shown = download(page)
    table = tmp_path / "results.csv"
    with open_writer(table, "csv", fitted.description) as writer:
        for result in classify_files(fitted, find_pictures([folder]).files, batch_size=1):
            writer.write(result)
    ours, theirs = (list(csv.reader(io.StringIO(text))) for text in (shown, table.read_text(encoding="utf-8")))
    assert ours[0] == theirs[0]  # the columns, in order
    by_name = {Path(row[0]).name: dict(zip(theirs[0], row, strict=True)) for row in theirs[1:]}
    assert len(ours) == len(theirs) == 6
    for values in ours[1:]:
        row = dict(zip(ours[0], values, strict=True))
        other = by_name[Path(row.pop("file")).name]
        assert row.pop("error").rstrip(".").lower() == other["error"].lower()
        for name, value in row.items():
            if name.startswith(("probability", "confidence", "malignant", "suitability")) and value:
                assert float(value) == pytest.approx(float(other[name]), abs=2e-5), name
                assert len(value) == len(other[name]) or name == "suitability_score"
            else:
                assert value == other[name], name
    assert [row[0] for row in ours[1:]] == sorted(row[0] for row in ours[1:])


def test_csv_runs_no_formula(visit: Callable[..., Any], doubting: Running) -> None:
    page = batch(visit, doubting).page
    choose(page, {"=cmd()\x1b.jpg": LIKE, 'a,"b".jpg': LIKE, "－1.jpg": b"no picture"})
    finish(page, 3)
    rows = {row["file"]: row for row in csv.DictReader(io.StringIO(download(page)))}
    assert set(rows) == {"'=cmd()�.jpg", 'a,"b".jpg', "'－1.jpg"}
    assert rows["'－1.jpg"]["model"] == rows['a,"b".jpg']["model"] != ""
    assert rows["'－1.jpg"]["notice"] == ""
    assert rows['a,"b".jpg']["notice"] == "Research tool, not a diagnosis"


def test_a_dropped_folder(visit: Callable[..., Any], doubting: Running, tmp_path: Path) -> None:
    page = batch(visit, doubting).page
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(folder_of(tmp_path))], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 300, "data": data})
    page.wait_for_selector("ll-batch.over")
    devtools.send("Input.dispatchDragEvent", {"type": "drop", "x": 400, "y": 300, "data": data})
    finish(page, 4)
    assert names(page) == ["photos/a/10.png", "photos/a/2.JPG", "photos/b.jpg", "photos/broken.jpg"]
    assert page.locator("ll-batch.over").count() == 0


def test_a_folder_without_pictures_says_so(visit: Callable[..., Any], doubting: Running, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"no picture")
    page = batch(visit, doubting).page
    page.set_input_files(FOLDER, str(tmp_path))
    page.get_by_text("There is no picture in it.").wait_for()
    assert page.locator(".results").is_hidden()


def test_a_file_that_is_gone_stops_nothing(visit: Callable[..., Any], plain: Classifier, tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.jpg" for i in range(4)]
    for path in paths:
        path.write_bytes(LIKE)
    model, engine = behind(GatedEngine, plain)
    with running(model, tracker="off") as server:
        page = batch(visit, server).page
        wait_until(lambda: server.get("/readyz").status_code == 200)
        engine.gate.clear()
        page.set_input_files(FILES, [str(path) for path in paths])
        wait_until(lambda: page.locator(".verdict.Working").count() == 2)
        paths[2].unlink()
        engine.gate.set()
        finish(page, 4)
        assert [answer == "Failed" for answer in answers(page)] == [False, False, True, False]
        assert "was it moved or changed?" in page.inner_text(".rows")
        assert page.inner_text(".tally") == "4 of 4 · 1 failed"


def test_pause_resume_cancel_and_try_again(visit: Callable[..., Any], plain: Classifier) -> None:
    model, engine = behind(GatedEngine, plain)
    with running(model, tracker="off") as server:
        page = batch(visit, server).page
        wait_until(lambda: server.get("/readyz").status_code == 200)
        engine.gate.clear()
        choose(page, drawn(6))
        wait_until(lambda: page.locator(".verdict.Working").count() == 2)
        page.get_by_role("button", name="Pause").click()
        engine.gate.set()
        wait_until(lambda: page.inner_text(".tally") == "2 of 6")
        page.wait_for_timeout(300)
        assert answers(page).count("Waiting") == 4  # those under way were finished, and no other begun
        engine.gate.clear()
        page.get_by_role("button", name="Resume").click()
        wait_until(lambda: page.locator(".verdict.Working").count() == 2)
        page.get_by_role("button", name="Cancel").click()
        wait_until(lambda: answers(page).count("Cancelled") == 4)
        engine.gate.set()
        rows = list(csv.DictReader(io.StringIO(download(page))))
        assert [row["error"] for row in rows].count("Cancelled; not analysed.") == 4
        page.get_by_role("button", name="Try again").click()
        finish(page, 6)
        assert not set(answers(page)) & {"Waiting", "Cancelled", "Failed"}


def test_a_busy_service_is_asked_again(visit: Callable[..., Any], plain: Classifier) -> None:
    model, engine = behind(GatedEngine, plain)
    with running(model, tracker="off", queue_size=1) as server:
        visited = batch(visit, server)
        page = visited.page
        wait_until(lambda: server.get("/readyz").status_code == 200)
        engine.gate.clear()
        choose(page, drawn(4))
        page.get_by_text("The service is busy; the page tries again in").wait_for()
        assert "failed" not in page.inner_text(".tally")
        engine.gate.set()
        finish(page, 4)
        assert "failed" not in page.inner_text(".tally")
        assert page.inner_text(".note") == "Done."
        assert any("503" in each for each in visited.complaints)  # or nothing was tested


def test_a_lost_connection_loses_no_photo(visit: Callable[..., Any], plain: Classifier) -> None:
    with running(plain, tracker="off") as server:
        page = batch(visit, server).page
        page.context.set_offline(True)
        choose(page, drawn(3))
        page.get_by_text("The service cannot be reached. No photo is lost").wait_for()
        wait_until(lambda: page.locator(".verdict.Waiting").count() == 3)
        page.context.set_offline(False)
        page.get_by_role("button", name="Resume").click()
        finish(page, 3)
        assert "failed" not in page.inner_text(".tally")


def test_sorting_and_filtering(visit: Callable[..., Any], doubting: Running) -> None:
    files = drawn(8) | {"gradient.png": UNLIKE, "words.jpg": b"no picture"}
    told = {name: doubting.post("/v1/analyses", files={"file": (name, data)}).json() for name, data in files.items()}
    risk = {name: answer["malignancy"]["probability"] for name, answer in told.items() if "malignancy" in answer}
    page = batch(visit, doubting).page
    choose(page, files)
    finish(page, 10)
    by_risk = sorted(risk, key=lambda name: -risk[name])
    page.get_by_label("Sort by").select_option("malignant probability")
    assert names(page) == [*by_risk, "words.jpg"]
    page.get_by_label("Sort by").select_option("answer")
    assert answers(page) == sorted(answers(page), key=str.casefold)
    page.get_by_label("Sort by").select_option("as added")
    assert names(page) == sorted(files)
    show = page.get_by_label("Show")
    show.select_option("Malignant 10% and more")
    assert names(page) == sorted(name for name in risk if risk[name] >= 0.1)
    suited = {name for name in risk if told[name]["suitability"]["suitable"]}
    expected = {
        "Failed": {"words.jpg"},
        "Not like a dermoscopic image": set(risk) - suited,
        "Not confident": {name for name in suited if not told[name]["confident"]},
    }
    for name in suited - expected["Not confident"]:
        expected.setdefault(told[name]["prediction"]["name"], set()).add(name)
    assert len(expected["Not like a dermoscopic image"]) > 0
    for title, found in expected.items():
        if found:
            show.select_option(title)
            assert names(page) == sorted(found)
    show.select_option("Waiting")  # all of them were, once
    assert page.get_by_text("No photo is of this kind.").is_visible()


def test_a_thousand_photos(visit: Callable[..., Any], plain: Classifier) -> None:
    model, engine = behind(GatedEngine, plain)
    with running(model, tracker="off") as server:
        page = batch(visit, server).page
        wait_until(lambda: server.get("/readyz").status_code == 200)
        engine.gate.clear()
        page.evaluate(
            """bytes => {
              const list = new DataTransfer();
              for (let i = 0; i < 1000; i++) list.items.add(new File([new Uint8Array(bytes)], `${i}.jpg`));
              const input = document.querySelector("ll-batch input[multiple]");
              input.files = list.files;
              input.dispatchEvent(new Event("change"));
            }""",
            list(LIKE),
        )
        wait_until(lambda: page.inner_text(".tally") == "0 of 1000")
        assert page.locator(".rows li").count() == 1000
        page.get_by_role("button", name="Pause").click()
        page.locator(".rows li").first.scroll_into_view_if_needed()
        wait_until(lambda: 0 < page.evaluate(PICTURED) < 40)  # only what can be seen is loaded,
        assert page.evaluate(LAID_OUT) < 60  # and laid out
        first = page.evaluate(PICTURED_NAMES)
        page.locator(".rows li").last.scroll_into_view_if_needed()
        wait_until(lambda: set(page.evaluate(PICTURED_NAMES)).isdisjoint(first))
        wait_until(lambda: 0 < page.evaluate(PICTURED) < 40)
        page.get_by_label("Sort by").select_option("file name")
        assert names(page)[:3] == ["0.jpg", "1.jpg", "2.jpg"]
        assert names(page)[-1] == "999.jpg"
        engine.gate.set()
        page.get_by_role("button", name="Cancel").click()
        wait_until(lambda: answers(page).count("Cancelled") >= 998)


def test_the_table_is_there_when_one_comes_back(visit: Callable[..., Any], doubting: Running) -> None:
    page = batch(visit, doubting).page
    choose(page, drawn(2))
    page.get_by_role("link", name="About").click()
    page.wait_for_selector("ll-about h1")
    page.get_by_role("link", name="Batch").click()
    finish(page, 2)
    assert names(page) == ["0000.jpg", "0001.jpg"]


def test_answers_are_not_left_by_mistake(visit: Callable[..., Any], doubting: Running) -> None:
    page = batch(visit, doubting).page
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    choose(page, drawn(1))
    finish(page, 1)
    page.click("h1")  # a page that nobody has touched may be left
    page.reload()
    assert asked == ["beforeunload"]
    page.wait_for_selector("ll-batch h1")
    choose(page, drawn(1))
    finish(page, 1)
    download(page)
    page.reload()
    assert asked == ["beforeunload"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_it_fits_and_can_be_read(visit: Callable[..., Any], doubting: Running, width: int, scheme: str) -> None:
    visited = batch(visit, doubting, width=width, scheme=scheme)
    page = visited.page
    choose(page, {"a-very-long-name-" * 8 + ".jpg": LIKE, "gradient.png": UNLIKE})
    finish(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    assert visited.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Callable[..., Any], doubting: Running, scheme: str) -> None:
    page = batch(visit, doubting, width=390, scheme=scheme).page
    assert violations(page) == []
    choose(page, {"a.jpg": LIKE, "gradient.png": UNLIKE, "words.jpg": b"no picture"})
    finish(page, 3)
    assert violations(page) == []


def test_by_keyboard_alone(visit: Callable[..., Any], doubting: Running) -> None:
    page = batch(visit, doubting).page
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose photos").focus()
        page.keyboard.press("Enter")
    assert chooser.value.is_multiple()
    with page.expect_file_chooser():
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    choose(page, drawn(2))
    finish(page, 2)
    page.get_by_label("Sort by").focus()
    page.keyboard.press("m")
    assert page.locator("#batch-order").input_value() == "malignant probability"


def test_small_files_of_many_kinds(visit: Callable[..., Any], plain: Classifier) -> None:
    kinds = {f"a.{kind.lower()}": encode(lesion(0, 1), kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF")}
    with running(plain, tracker="off") as server:
        page = batch(visit, server).page
        choose(page, kinds)
        finish(page, 5)
        assert "failed" not in page.inner_text(".tally")
