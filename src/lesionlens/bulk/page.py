"""The HTML page of results: one file, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
from html import escape
from typing import Any, Final

from lesionlens import DISCLAIMER
from lesionlens.bulk.result import Count, Result
from lesionlens.doubt import NOT_DERMOSCOPIC
from lesionlens.taxonomy import BY_CODE

__all__ = ["page_card", "page_end", "page_start"]

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8886; --bar: #2563a8; --bad: #b3261e; --note: #fff3cd; --note-text: #4d3800 }
@media (prefers-color-scheme: dark) {
  :root { --bar: #7cb2ea; --bad: #ff8a80; --note: #4d3f10; --note-text: #ffe9a8 }
}
* { box-sizing: border-box }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 75rem }
h1 { font-size: 1.4rem; margin: 0 0 .25rem }
h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; font-weight: 600 }
p { margin: .25rem 0 }
.note { background: var(--note); color: var(--note-text); padding: .6rem .8rem; border-radius: .4rem; margin: .75rem 0 }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)) }
article { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; min-width: 0 }
.model { overflow-wrap: anywhere; font-size: .85rem }
.answer { font-size: 1.15rem; font-weight: 650 }
h3 { font-size: .85rem; margin: .6rem 0 .2rem }
ul { margin: 0; padding-left: 1.1rem; font-size: .85rem }
.doubt {
  background: var(--note); color: var(--note-text); border-left: .3rem solid currentcolor; border-radius: .3rem;
  padding: .5rem .7rem; margin: .4rem 0
}
.error { color: var(--bad); font-weight: 600 }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin: .5rem 0 }
figure { margin: 0 }
img { width: 100%; height: auto; display: block; border-radius: .3rem }
figcaption { font-size: .8rem }
table { border-collapse: collapse; width: 100%; font-size: .85rem }
caption { text-align: left; font-size: .8rem }
th { text-align: left; font-weight: 400; padding: .1rem .4rem .1rem 0; overflow-wrap: anywhere }
td.bar { width: 40% }
td.share { text-align: right; font-variant-numeric: tabular-nums; padding-left: .4rem; white-space: nowrap }
.meter { display: block; height: .6rem; background: var(--line); border-radius: .3rem; overflow: hidden }
.meter > i { display: block; height: 100%; background: var(--bar) }
.doubted .meter > i { background: #8a8a8a }
"""


def page_start(model: dict[str, Any]) -> str:
    """Return the page up to the first result.

    Args:
        model: What the results must be kept with (`Classifier.description`).
    """
    facts = escape("{name} {version} ({architecture}, {engine}), SHA-256 {sha256}".format_map(model))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>LesionLens results</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>LesionLens results</h1>
<p class="model">Model: {facts}</p>
<p class="note" role="note">{escape(DISCLAIMER)}</p>
</header>
<main>
"""


def page_card(result: Result) -> str:
    """Return the part of the page about one file."""
    name = escape(result.file)
    if result.error is not None:
        return f'<article>\n<h2>{name}</h2>\n<p class="error">Not classified: {escape(result.error)}</p>\n</article>\n'
    rows = "\n".join(_bar(BY_CODE[code].name, p) for code, p in result.probabilities.items())
    return f"""<article{"" if result.confident else ' class="doubted"'}>
<h2>{name}</h2>
{_answer(result)}{_pictures(result, name)}<table>
<caption>Probability of each diagnosis</caption>
{rows}
</table>
{_list("For a better photo", result.hints)}</article>
"""


def page_end(count: Count) -> str:
    """Return the page after the last result.

    Args:
        count: How many results there were.
    """
    return f"""</main>
<footer>
<p>{count.in_words("file")}.</p>
<p class="note" role="note">{escape(DISCLAIMER)}</p>
</footer>
</body>
</html>
"""


def _answer(result: Result) -> str:
    answer = escape(result.answer_in_words)
    malignant = f"{result.malignant_probability:.0%}"
    numbers = f"<p>Confidence {result.confidence:.0%}; malignant, all kinds together, {malignant}</p>\n"
    if result.suitable:
        return f'<p class="answer">{answer}</p>\n{numbers}{_possible(result)}'
    # No prediction set: what sets cover was never measured on such pictures.
    return (
        f'<div class="doubt">\n<p class="answer">{NOT_DERMOSCOPIC}</p>\n{_list("", result.reasons)}</div>\n'
        f"<p>Not to be relied on: the model would say {answer}.</p>\n{numbers}"
    )


def _possible(result: Result) -> str:
    if result.prediction_set is None or result.coverage is None:
        return ""
    names = ", ".join(BY_CODE[code].name for code in result.prediction_set)
    return f"<p>With {result.coverage:.0%} coverage, the diagnosis is among: {escape(names)}.</p>\n"


def _list(title: str, sentences: tuple[str, ...]) -> str:
    if not sentences:
        return ""
    heading = f"<h3>{title}</h3>\n" if title else ""
    return f"{heading}<ul>\n{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}\n</ul>\n"


def _bar(name: str, probability: float) -> str:
    return (
        f'<tr><th scope="row">{escape(name)}</th>'
        f'<td class="bar"><span class="meter"><i style="width: {probability:.1%}"></i></span></td>'
        f'<td class="share">{probability:.1%}</td></tr>'
    )


def _pictures(result: Result, name: str) -> str:
    figures = "".join(
        f'<figure><img loading="lazy" alt="{what} {name}" src="data:image/jpeg;base64,'
        f'{base64.b64encode(jpeg).decode("ascii")}"><figcaption>{caption}</figcaption></figure>\n'
        for jpeg, what, caption in (
            (result.photo_jpeg, "Picture", "Picture"),
            (result.overlay_jpeg, "Heatmap over", "What the network looked at"),
        )
        if jpeg
    )
    return f'<div class="pictures">\n{figures}</div>\n' if figures else ""
