from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from filled_store import fill
from PIL import Image
from places import analysis, photo

from lesionlens import DISCLAIMER
from lesionlens.errors import InvalidRecordError, RecordNotFoundError
from lesionlens.taxonomy import DIAGNOSES
from lesionlens.tracker import Tracker
from lesionlens.tracker.exchange import write_report
from lesionlens.tracker.exchange.report import words
from lesionlens.tracker.exchange.report.chart import make_chart
from lesionlens.tracker.exchange.report.pdf_sheet import Sheet


def written(tracker: Tracker, person_id: str, kind: Any) -> bytes:
    """The bytes of a report."""
    stream = io.BytesIO()
    write_report(tracker, person_id, stream, kind)
    return stream.getvalue()


def pdf_text(data: bytes) -> str:
    """The words of a PDF, without line breaks."""
    document = pypdfium2.PdfDocument(data)
    try:
        pages = []
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            pages.append(text.get_text_range())
            text.close()
            page.close()
        return re.sub(r"\s+", " ", " ".join(pages).replace("￾", ""))
    finally:
        document.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    """A filled store. On SQLite only: what a report says does not depend on the database, as the exports show."""
    with Tracker(tmp_path_factory.mktemp("reported")) as tracker:
        fill(tracker)
        yield tracker


@pytest.fixture(scope="module")
def ada(store: Tracker) -> str:
    """Id of the person who is not deleted."""
    return store.people.list().items[0].id


@pytest.fixture(scope="module")
def page(store: Tracker, ada: str) -> str:
    """Her report as HTML."""
    return written(store, ada, "html").decode()


@pytest.fixture(scope="module")
def pdf(store: Tracker, ada: str) -> bytes:
    """Her report as PDF."""
    return written(store, ada, "pdf")


EXPECTED = (
    "Skin record of Ada Łukasz-Ñandú",
    "3 lesions, 4 photos",
    "Burns easily",
    "1. left shoulder",
    "Back of the body: middle third, left of the middle of the drawing (30% from its left edge, 33% from its top)",
    "due 5 December 2024, 3 months after the last",
    "2. Left foot",
    "5 January 2024, 23:59 (UTC+09:00)",
    "visit <4> & more",
    "This does not look like a dermoscopic image. Not to be relied on: Melanocytic nevus, 69.9%.",
    "Malignant, all kinds together: 17.0%",
    "Melanocytic nevus, 69.9%.",
    "Too far away.",
    "other 2 (network bbbbbbbbbbbb, onnxruntime)",
    "lite2 1.0 (network aaaaaaaaaaaa, onnxruntime)",
    "Malignant probability from 5 January 2024 to 5 September 2024",
    "Not analysed.",
    "3. Front of the body",
    "No photo has been taken.",
)


def test_the_page_says_all_that_is_recorded(page: str) -> None:
    class Words(HTMLParser):
        said = ""

        def handle_data(self, data: str) -> None:
            self.said += data + " "

    reader = Words()
    reader.feed(page)
    said = re.sub(r"\s+", " ", reader.said)
    for expected in EXPECTED:
        assert expected in said, expected
    assert said.count(DISCLAIMER) == 2
    for diagnosis in DIAGNOSES:
        assert diagnosis.name in said
    assert "Burns easily ☀" in said
    assert "scar" not in said  # of a deleted lesion
    assert "<script" not in page
    assert "visit <4>" not in page


def test_the_pdf_says_all_that_is_recorded(pdf: bytes) -> None:
    said = pdf_text(pdf)
    for expected in EXPECTED:
        assert expected in said, expected
    assert said.count(DISCLAIMER) == 2
    assert "LesionLens is a research tool, not a medical device. Its answers are no diagnosis." in said
    assert "scar" not in said
    assert "Burns easily �" in said


def test_the_page_is_self_contained(page: str) -> None:
    addresses = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""", page)
    assert len(addresses) == 4  # photos; the newest answers have no maps
    assert all(address.startswith("data:image/jpeg;base64,") for address in addresses)
    assert "default-src 'none'" in page
    assert page.count("<svg") == 1
    assert "<title>Malignant probability" in page


def test_the_pdf_has_pages_and_a_time_of_its_records(pdf: bytes, store: Tracker) -> None:
    document = pypdfium2.PdfDocument(pdf)
    metadata, pages = document.get_metadata_dict(), len(document)
    page = document[0]
    picture = page.render(scale=0.5).to_pil().convert("RGB")
    page.close()
    document.close()
    assert pages == 3
    assert metadata["Title"] == "Skin record of Ada Łukasz-Ñandú"
    newest = max(a.created_at for v in store.visits.list().items for a in v.analyses)
    changed = max(store.people.list().items[0].updated_at, newest)
    assert metadata["CreationDate"].startswith(f"D:{changed:%Y%m}")
    assert min(low for low, _ in picture.getextrema()) < 60  # ink
    colours = {colour for _, colour in picture.getcolors(1 << 20)}
    assert any(red < 40 and 90 < green < 140 and blue > 150 for red, green, blue in colours)  # the chart's first line


def test_the_same_records_give_the_same_bytes(store: Tracker, ada: str, page: str, pdf: bytes) -> None:
    assert written(store, ada, "html").decode() == page
    assert written(store, ada, "pdf") == pdf


def test_heatmaps_are_drawn_from_stored_maps(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        tracker.visits.add(lesion.id, photo(), analysis=analysis())
        page = written(tracker, lesion.person_id, "html").decode()
        assert "What the network looked at" in pdf_text(written(tracker, lesion.person_id, "pdf"))
    assert re.findall(r'alt="([^"]+)"', page) == ["Photo", "What the network looked at"]
    assert "<svg" not in page  # one photo is no course


def test_what_was_typed_can_do_no_harm(tmp_path: Path) -> None:
    evil = '"><script>alert(1)</script>&amp;'
    with Tracker(tmp_path) as tracker:
        person = tracker.people.create(evil, note=evil)
        lesion = tracker.lesions.create(person.id, "back", 0.5, 0.5, site=evil, note=evil)
        hints = {"hints": [{"code": evil, "message": evil}, "no object"], "suitable": evil}
        tracker.visits.add(lesion.id, photo(), note=evil, analysis=analysis(model=evil, version=evil, quality=hints))
        tracker.visits.add(lesion.id, photo(1), analysis=analysis(model=evil, suitability={"reasons": 7}))
        page = written(tracker, person.id, "html").decode()
        assert evil in pdf_text(written(tracker, person.id, "pdf"))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 8


def test_characters_that_the_typeface_lacks_are_told(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        person = tracker.people.create("山田 Łukáš Ðỗ Ωμέγα Жанна", note="e\u0301 composed")
        said = pdf_text(written(tracker, person.id, "pdf"))
        assert "山田" in written(tracker, person.id, "html").decode()
    assert "�� Łukáš Ðỗ Ωμέγα Жанна" in said
    assert "é composed" in said
    assert "typeface lacks" in said
    assert "No lesion has been recorded." in said


def test_a_long_note_goes_on_to_further_pages(tmp_path: Path) -> None:
    note = " ".join(f"word{i}" for i in range(1200))
    with Tracker(tmp_path) as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        tracker.visits.add(lesion.id, photo(), note=note, analysis=analysis())
        data = written(tracker, lesion.person_id, "pdf")
    said = pdf_text(data)
    assert all(f"word{i} " in said for i in range(1200))
    document = pypdfium2.PdfDocument(data)
    assert len(document) > 2
    document.close()


def test_only_people_who_are_there_have_reports(store: Tracker) -> None:
    [zoe] = store.people.list(deleted="only").items
    with pytest.raises(RecordNotFoundError, match="deleted"):
        written(store, zoe.id, "html")
    with pytest.raises(RecordNotFoundError, match="no person"):
        written(store, "nobody", "pdf")
    with pytest.raises(InvalidRecordError, match="format is 'docx'; accepted: html, pdf"):
        written(store, zoe.id, "docx")


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (0.0, 0.0, "upper third, left of the middle"),
        (0.5, 0.5, "middle third, near the middle"),
        (1.0, 1.0, "lower third, right of the middle"),
    ],
)
def test_places_in_words(store: Tracker, x: float, y: float, said: str) -> None:
    lesion = replace(store.lesions.list().items[0], view="head", x=x, y=y)
    where = f"({100 * x:.0f}% from its left edge, {100 * y:.0f}% from its top)"
    assert words.place(lesion) == f"Head: {said} of the drawing {where}"


def test_moments_and_shares_in_words() -> None:
    assert words.moment(datetime(2024, 5, 1, 7, 5, tzinfo=UTC)) == "1 May 2024, 07:05 (UTC)"
    behind = timezone(-timedelta(hours=3, minutes=30))
    assert words.moment(datetime(2024, 12, 31, 23, 0, tzinfo=behind)) == "31 December 2024, 23:00 (UTC−03:30)"
    assert words.percent(0.49999) == "49.9%"  # not 50.0%, which an answer needs


def test_charts_have_days_at_both_ends_and_room_between(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        start = datetime(2020, 2, 3, tzinfo=UTC)
        for days in (0, 30, 400, 2000):
            tracker.visits.add(lesion.id, photo(days % 7), taken_at=start + timedelta(days=days), analysis=analysis())
        visits = tracker.lesions.timeline(lesion.id).visits
    assert make_chart(visits[:1]) is None
    month = make_chart(visits[:2])
    assert month is not None
    assert month.ticks == ((0.0, "3 February 2020"), (1.0, "4 March 2020"))
    year = make_chart(visits[:3])
    assert year is not None
    assert [name for _, name in year.ticks] == ["3 February 2020", "Jul 2020", "Oct 2020", "9 March 2021"]
    years = make_chart(visits)
    assert years is not None
    assert [name for _, name in years.ticks] == ["3 February 2020", "2022", "2023", "2024", "26 July 2025"]
    assert [s.name for s in years.series] == ["lite2 1.0"]
    assert [point[1:] for point in years.series[0].points] == [(0.17, True)] * 4
    day = make_chart([visits[0], visits[0]])
    assert day is not None
    assert day.ticks == ((0.0, "3 February 2020"),)


def test_portrait_photos_keep_their_shape(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 120), "tan").save(buffer, "PNG")
    with Tracker(tmp_path) as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        tracker.visits.add(lesion.id, buffer.getvalue())
        document = pypdfium2.PdfDocument(written(tracker, lesion.person_id, "pdf"))
    page = document[0]
    [image] = page.get_objects(filter=[3])  # FPDF_PAGEOBJ_IMAGE
    left, bottom, right, top = image.get_bounds()
    image.close()
    page.close()
    document.close()
    assert (top - bottom) / (right - left) == pytest.approx(2.0, abs=0.01)


def test_the_small_pictures_tell_nothing_that_a_phone_wrote(tmp_path: Path) -> None:
    buffer, written_by_phone = io.BytesIO(), Image.Exif()
    written_by_phone[0x010E] = "Hammerfest"
    Image.new("RGB", (400, 300), "tan").save(buffer, "JPEG", exif=written_by_phone)
    assert b"Hammerfest" in buffer.getvalue()
    with Tracker(tmp_path) as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        tracker.visits.add(lesion.id, buffer.getvalue(), analysis=analysis())
        page = written(tracker, lesion.person_id, "html").decode()
        pdf = written(tracker, lesion.person_id, "pdf")
    pictures = [base64.b64decode(data) for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)]
    assert len(pictures) == 2
    assert all(b"Exif" not in data and b"Hammerfest" not in data for data in [*pictures, pdf])


def test_the_sheet_breaks_pages_where_there_is_no_room() -> None:
    with closing(Sheet("Title", "Foot", datetime(2024, 1, 1, tzinfo=UTC))) as sheet:
        sheet.room(100)
        assert sheet.page_no() == 1
        sheet.set_y(250)
        sheet.room(100)
        assert sheet.page_no() == 2
