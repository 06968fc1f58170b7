"""The report as one HTML page: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
from functools import cache
from html import escape
from pathlib import Path
from typing import IO

from lesionlens import DISCLAIMER
from lesionlens.taxonomy import DIAGNOSES
from lesionlens.tracker.exchange.report import words
from lesionlens.tracker.exchange.report.chart import Chart
from lesionlens.tracker.exchange.report.content import Heading, LesionPart, VisitPart
from lesionlens.tracker.exchange.report.svg import chart_svg
from lesionlens.tracker.records import StoredAnalysis

__all__ = ["CONTENT_SECURITY_POLICY", "HtmlReport"]

CONTENT_SECURITY_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What the page may do: show the pictures that are in it."""


class HtmlReport:
    """Writes the page lesion by lesion, so that only one is in memory.

    Args:
        stream: Takes UTF-8.
        heading: Whose it is.
    """

    def __init__(self, stream: IO[bytes], heading: Heading) -> None:
        self._stream = stream
        self._heading = heading

    def start(self) -> None:
        """Write all that stands before the lesions."""
        heading, person = self._heading, self._heading.person
        title = f"Skin record of {escape(person.label)}"
        self._write(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">
<title>{title}</title>
<style>
{_style()}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="soft">{heading.counted}. As of {words.moment(heading.as_of)}. Made by LesionLens.</p>
<p class="notice" role="note">{escape(DISCLAIMER)}</p>
{_facts(words.facts_about_person(person))}{_note(person.note)}</header>
<main>
""")
        if not heading.lesions:
            self._write("<p>No lesion has been recorded.</p>\n")

    def lesion(self, part: LesionPart) -> None:
        """Write a lesion with its visits."""
        visits = "".join(map(_visit, part.visits)) or "<p>No photo has been taken.</p>\n"
        self._write(f"""<section>
<h2>{escape(words.title_of(part.lesion, part.number))}</h2>
{_facts(words.facts_about_lesion(part.lesion))}{_note(part.lesion.note)}{_chart(part.chart)}{visits}</section>
""")

    def end(self) -> None:
        """Write all that stands after the lesions."""
        self._write(f"""</main>
<footer>
<p class="notice" role="note">{escape(DISCLAIMER)}</p>
</footer>
</body>
</html>
""")

    def _write(self, text: str) -> None:
        self._stream.write(text.encode())


@cache
def _style() -> str:
    return (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def _facts(facts: list[tuple[str, str]]) -> str:
    if not facts:
        return ""
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(value)}</dd>' for name, value in facts)}</dl>\n"


def _note(note: str) -> str:
    return f'<p class="words">{escape(note)}</p>\n' if note else ""


def _chart(chart: Chart | None) -> str:
    if chart is None:
        return ""
    legend = "".join(f'<li><i style="background: {s.colour}"></i>{escape(s.name)}</li>' for s in chart.series)
    return (
        f'<figure class="chart">{chart_svg(chart)}<figcaption>{escape(chart.summary)}; hollow where the photo was not '
        f'suitable.</figcaption><ul class="legend">{legend}</ul></figure>\n'
    )


def _visit(part: VisitPart) -> str:
    visit = part.visit
    newest, *older = reversed(visit.analyses) if visit.analyses else (None,)
    said = "<p>Not analysed.</p>\n" if newest is None else _newest(newest)
    earlier = "".join(f"<li>{_older(analysis)}</li>" for analysis in older if analysis is not None)
    return f"""<article>
<h3>{words.moment(visit.taken_at)}</h3>
<div class="visit">
<div class="pictures">{_picture(part.photo, "Photo")}{_picture(part.heat, "What the network looked at")}</div>
<div>
{_note(visit.note)}{said}{f"<h4>Earlier answers</h4><ul>{earlier}</ul>" if earlier else ""}</div>
</div>
</article>
"""


def _picture(jpeg: bytes | None, caption: str) -> str:
    if jpeg is None:
        return "<p>The photo is lost or damaged.</p>" if caption == "Photo" else ""
    data = base64.b64encode(jpeg).decode("ascii")
    return (
        f'<figure><img alt="{caption}" src="data:image/jpeg;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )


def _newest(analysis: StoredAnalysis) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(d.name)}</th><td class="bar"><span class="meter">'
        f'<i style="width: {p:.1%}"></i></span></td><td class="share">{words.percent(p)}</td></tr>\n'
        for d, p in zip(DIAGNOSES, analysis.probabilities, strict=True)
    )
    among = words.possible(analysis)
    hints = "".join(f"<li>{escape(hint)}</li>" for hint in words.doubts(analysis))
    return f"""<p class="answer">{escape(words.answer(analysis))}</p>
<p>Malignant, all kinds together: {words.percent(analysis.malignant_probability)}</p>
{f"<p>Not ruled out: {escape(among)}</p>" if among else ""}
<table>
<caption>Probability of each diagnosis</caption>
{rows}</table>
{f"<ul>{hints}</ul>" if hints else ""}
<p class="soft">{escape(words.model_name(analysis))}, {words.moment(analysis.created_at)}</p>
"""


def _older(analysis: StoredAnalysis) -> str:
    return (
        f"{escape(words.answer(analysis))} Malignant: {words.percent(analysis.malignant_probability)}. "
        f'<span class="soft">{escape(words.model_name(analysis))}, {words.moment(analysis.created_at)}</span>'
    )
