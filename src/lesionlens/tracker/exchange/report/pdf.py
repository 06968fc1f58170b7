"""The report as PDF."""

from __future__ import annotations

import io
from types import TracebackType
from typing import Final, Self

from lesionlens import DISCLAIMER
from lesionlens.taxonomy import DIAGNOSES
from lesionlens.tracker.exchange.report import words
from lesionlens.tracker.exchange.report.content import Heading, LesionPart, VisitPart
from lesionlens.tracker.exchange.report.pdf_chart import CHART_HEIGHT, draw_chart
from lesionlens.tracker.exchange.report.pdf_sheet import HEADING, LINE, SMALL, SOFT, TITLE, Sheet
from lesionlens.tracker.records import StoredAnalysis

__all__ = ["PdfReport"]

# Lengths in millimetres.
_PICTURE: Final = 40.0
_CAPTION: Final = 5.0
_GAP: Final = 5.0
_BARS: Final = 4.2 * len(DIAGNOSES)
_NAMES: Final = 52.0
_VISIT: Final = 62.0  # what a visit with little to say takes; one that takes more goes on to the next page
_NOTICE: Final = (255, 243, 205)
_BAR: Final = (37, 99, 168)
_FOOT: Final = "LesionLens is a research tool, not a medical device. Its answers are no diagnosis."


class PdfReport:
    """Draws the report lesion by lesion; the document stays in memory, with its pictures shrunk.

    Args:
        heading: Whose it is.
    """

    def __init__(self, heading: Heading) -> None:
        self._heading = heading
        self._title = f"Skin record of {heading.person.label}"
        self._sheet = Sheet(self._title, _FOOT, heading.as_of)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sheet.close()

    def start(self) -> None:
        """Draw all that stands before the lesions."""
        heading, person, sheet = self._heading, self._heading.person, self._sheet
        sheet.words(self._title, TITLE, bold=True)
        sheet.words(f"{heading.counted}. As of {words.moment(heading.as_of)}. Made by LesionLens.", SMALL, colour=SOFT)
        self._notice()
        self._facts(words.facts_about_person(person))
        if person.note:
            sheet.words(person.note)
        if not heading.lesions:
            sheet.words("No lesion has been recorded.")

    def lesion(self, part: LesionPart) -> None:
        """Draw a lesion with its visits."""
        sheet = self._sheet
        sheet.ln(3)
        sheet.room((CHART_HEIGHT if part.chart else _VISIT) + 25)
        sheet.words(words.title_of(part.lesion, part.number), HEADING, bold=True)
        self._facts(words.facts_about_lesion(part.lesion))
        if part.lesion.note:
            sheet.words(part.lesion.note)
        if part.chart is not None:
            sheet.room(CHART_HEIGHT)
            draw_chart(sheet, part.chart)
        if not part.visits:
            sheet.words("No photo has been taken.")
        for visit in part.visits:
            self._visit(visit)

    def end(self) -> None:
        """Draw all that stands after the lesions."""
        self._sheet.ln(3)
        self._notice()
        self._sheet.remark()

    def data(self) -> bytes:
        """Return the bytes of the finished file."""
        return bytes(self._sheet.output())

    def _visit(self, part: VisitPart) -> None:
        sheet, visit = self._sheet, part.visit
        aspect = visit.photo.width / max(1, visit.photo.height)
        pictures = (_PICTURE / max(1.0, aspect) + _CAPTION) * sum(p is not None for p in (part.photo, part.heat))
        sheet.room(max(_VISIT, pictures + 12))
        sheet.rule()
        sheet.words(words.moment(visit.taken_at), bold=True)
        page, top = sheet.page_no(), sheet.get_y()
        below = top + 1
        for jpeg, caption in ((part.photo, "Photo"), (part.heat, "What the network looked at")):
            below = self._picture(jpeg, caption, below, aspect)
        column = sheet.l_margin + _PICTURE + _GAP
        sheet.set_xy(column, top)
        before, sheet.l_margin = sheet.l_margin, column  # paragraphs that go on to the next page stay in their column
        try:
            self._said(visit.note, visit.analyses)
        finally:
            sheet.l_margin = before
        if sheet.page_no() == page:
            sheet.set_y(max(sheet.get_y(), below))

    def _picture(self, jpeg: bytes | None, caption: str, top: float, aspect: float) -> float:
        """Draw a picture at the left margin, and return where it ends."""
        sheet = self._sheet
        if jpeg is None:
            if caption == "Photo":
                sheet.set_y(top)
                sheet.words("The photo is lost or damaged.", SMALL, colour=SOFT, width=_PICTURE)
                return sheet.get_y()
            return top
        width, height = _PICTURE * min(1.0, aspect), _PICTURE / max(1.0, aspect)
        sheet.image(io.BytesIO(jpeg), x=sheet.l_margin, y=top, w=width, h=height, alt_text=caption)
        end = top + height
        sheet.label(sheet.l_margin, end + 3, caption, 7)
        return end + _CAPTION

    def _said(self, note: str, analyses: tuple[StoredAnalysis, ...]) -> None:
        sheet = self._sheet
        if note:
            sheet.words(note)
        if not analyses:
            sheet.words("Not analysed.")
            return
        newest, *older = reversed(analyses)
        sheet.words(words.answer(newest), bold=True)
        sheet.words(f"Malignant, all kinds together: {words.percent(newest.malignant_probability)}")
        if among := words.possible(newest):
            sheet.words(f"Not ruled out: {among}", SMALL)
        self._bars(newest.probabilities)
        for hint in words.doubts(newest):
            sheet.words(f"• {hint}", SMALL)
        sheet.words(f"{words.model_name(newest)}, {words.moment(newest.created_at)}", SMALL, colour=SOFT)
        for analysis in older:
            sheet.words(
                f"Earlier: {words.answer(analysis)} Malignant: {words.percent(analysis.malignant_probability)}. "
                f"{words.model_name(analysis)}, {words.moment(analysis.created_at)}",
                SMALL,
                colour=SOFT,
            )

    def _bars(self, probabilities: tuple[float, ...]) -> None:
        sheet = self._sheet
        sheet.room(_BARS)
        step = _BARS / len(DIAGNOSES)
        left, right = sheet.l_margin + _NAMES, sheet.w - sheet.r_margin - 14
        top = sheet.get_y() + 1
        for i, (diagnosis, probability) in enumerate(zip(DIAGNOSES, probabilities, strict=True)):
            y = top + i * step
            sheet.label(sheet.l_margin, y + 2.9, diagnosis.name, 7.5)
            sheet.set_fill_color(*LINE)
            sheet.rect(left, y + 0.7, right - left, 2.4, style="F")
            sheet.set_fill_color(*_BAR)
            if probability > 0:
                sheet.rect(left, y + 0.7, (right - left) * probability, 2.4, style="F")
            sheet.label(sheet.w - sheet.r_margin, y + 2.9, words.percent(probability), 7.5, align="R")
        sheet.set_y(top + _BARS + 1)

    def _facts(self, facts: list[tuple[str, str]]) -> None:
        for name, value in facts:
            self._sheet.words(f"{name}: {value}")

    def _notice(self) -> None:
        sheet = self._sheet
        sheet.room(16)
        sheet.ln(1)
        sheet.set_fill_color(*_NOTICE)
        top = sheet.get_y()
        sheet.rect(sheet.l_margin, top, sheet.w - sheet.l_margin - sheet.r_margin, 11.5, style="F")
        sheet.set_y(top + 1.5)
        sheet.words(DISCLAIMER, left=sheet.l_margin + 2, width=sheet.w - sheet.l_margin - sheet.r_margin - 4)
        sheet.set_y(top + 13.5)
