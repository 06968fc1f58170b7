"""A PDF document with the project's typeface, page numbers, and a fixed time."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

__all__ = ["BODY", "HEADING", "INK", "LINE", "SMALL", "SOFT", "TITLE", "Sheet"]

_FONTS: Final = Path(__file__).parent / "fonts"
_FAMILY: Final = "DejaVu"
_MISSING: Final = "\N{REPLACEMENT CHARACTER}"
_NOT_SHOWN: Final = (
    "Characters that this document's typeface lacks are shown as \N{REPLACEMENT CHARACTER}; the HTML report shows them."
)

# Sizes in points, colours as red, green and blue.
TITLE, HEADING, BODY, SMALL = 18.0, 13.0, 9.5, 8.0
INK, SOFT, LINE = (28, 30, 33), (92, 99, 112), (208, 212, 220)
_LEADING: Final = 1.35
_POINT: Final = 25.4 / 72  # millimetres
_MARGIN: Final = 16.0


class Sheet(FPDF):
    """Pages of A4; lengths are in millimetres.

    Args:
        title: Of the document.
        footer: Stands at the bottom of every page.
        as_of: Of what time the document is; written where others write when they were made.
    """

    def __init__(self, title: str, footer: str, as_of: datetime) -> None:
        super().__init__(format="A4")
        self._footer = footer
        self._lacks = False
        for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            self.add_font(_FAMILY, style, _FONTS / file)
        self.set_title(title)
        self.set_lang("en")
        self.set_creator("LesionLens")
        self.set_creation_date(as_of)
        self.set_margin(_MARGIN)
        self.c_margin = 0.0
        self.set_auto_page_break(True, _MARGIN + 6)
        self.add_page()

    def words(
        self,
        text: str,
        size: float = BODY,
        *,
        bold: bool = False,
        colour: tuple[int, int, int] = INK,
        width: float = 0.0,
        left: float | None = None,
    ) -> None:
        """Write a paragraph, and go below it.

        Args:
            text: May have several lines.
            size: In points.
            bold: Whether to set it in bold.
            colour: Red, green, blue, 0–255.
            width: 0 for all that is left of the line.
            left: Where the paragraph begins; None for the left margin.
        """
        left = self.l_margin if left is None else left
        self.set_font(_FAMILY, "B" if bold else "", size)
        self.set_text_color(*colour)
        self.set_x(left)
        self.multi_cell(
            width, size * _POINT * _LEADING, self.shown(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def label(self, x: float, y: float, text: str, size: float = SMALL, *, align: str = "L") -> None:
        """Write a short text at a place, which is the left end, the middle (`C`) or the right end (`R`) of its foot."""
        self.set_font(_FAMILY, "", size)
        self.set_text_color(*SOFT)
        text = self.shown(text)
        width = self.get_string_width(text)
        self.text(x - {"L": 0.0, "C": width / 2, "R": width}[align], y, text)

    def shown(self, text: str) -> str:
        """Return a text as the typeface can show it."""
        # Composed, since letters and accents that are apart would be set beside each other.
        text = unicodedata.normalize("NFC", text).replace("\r", "").replace("\t", "    ")
        known = _characters()
        if all(c in known or c == "\n" for c in text):
            return text
        self._lacks = True
        return "".join(c if c in known or c == "\n" else _MISSING for c in text)

    def room(self, height: float) -> None:
        """Begin a new page unless there is so much room left on this one."""
        if self.get_y() + height > self.page_break_trigger:
            self.add_page()

    def rule(self) -> None:
        """Draw a thin line across the page."""
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        y = self.get_y() + 1.5
        self.line(self.l_margin, y, self.w - self.r_margin, y)
        self.set_y(y + 2.5)

    def remark(self) -> None:
        """Say at the end that characters were replaced, if any were."""
        if self._lacks:
            self.words(_NOT_SHOWN, SMALL, colour=SOFT)

    def close(self) -> None:
        """Close the files of the typeface, which the library reads from until the document is finished."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def footer(self) -> None:
        """Write the foot of a page; called by the library."""
        self.label(self.l_margin, self.h - 9, self._footer, 6.5)
        self.label(self.w - self.r_margin, self.h - 9, f"{self.page_no()}", 6.5, align="R")


@cache
def _characters() -> frozenset[str]:
    with TTFont(_FONTS / "DejaVuSans.ttf", lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))
