"""The files of results: whole or absent, readable by their programs, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lesionlens import CODES, DISCLAIMER
from lesionlens.api.schemas import PredictionSet, QualityInfo, SuitabilityInfo
from lesionlens.bulk import Format, Result, open_writer
from lesionlens.doubt import NOT_DERMOSCOPIC
from lesionlens.imaging.quality import Hint, Quality
from lesionlens.suitability import Suitability

MODEL = {
    "name": "lite",
    "version": "1.0",
    "architecture": "tf_efficientnet_lite2",
    "sha256": "0" * 64,
    "engine": "onnxruntime",
}
PROBABILITIES = dict(zip(CODES, (0.7, 0.1, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01), strict=True))
GOOD = Result(
    "a/mole.jpg", code="MEL", answer="Melanoma", nearest="Melanoma", confidence=0.7, malignant_probability=0.81,
    probabilities=PROBABILITIES, width=640, height=480, overlay="heat/mole.png", confident=True,
    decided_by="max_probability", photo_jpeg=b"photo", overlay_jpeg=b"heat",
)  # fmt: skip
UNSURE = Result(
    "b.jpg", code="NOT_CONFIDENT", answer="Not confident", nearest="Melanoma", confidence=0.4,
    malignant_probability=0.5, probabilities=PROBABILITIES, width=1, height=1, decided_by="max_probability",
    prediction_set=("MEL", "NV"), coverage=0.9, suitability=Suitability(1.5, 3.0, True, ()),
)  # fmt: skip
HINT = Hint("dark", "The photo is <dark>: turn on the light.")
UNSUITABLE = Result(
    "receipt.jpg", code="NV", answer="Melanocytic nevus", nearest="Melanocytic nevus", confidence=0.9,
    malignant_probability=0.05, probabilities=PROBABILITIES, width=640, height=480, decided_by="suitability",
    prediction_set=("NV",), coverage=0.9,
    suitability=Suitability(9.25, 3.0, False, (Hint("colours", "No skin has <these> colours."),)),
    quality=Quality(480, -2.0, 12.0, 0.0, 30.0, 0.0, 0.0, (HINT,)),
)  # fmt: skip
HOSTILE = Result('=cmd|" /C calc"!A0<script>alert(1)</script>.jpg', error="@not <b>a</b> picture")


def written(tmp_path: Path, format_: Format, *results: Result) -> str:
    target = tmp_path / "made" / f"results.{format_}"
    with open_writer(target, format_, MODEL) as writer:
        for result in results:
            writer.write(result)
        assert not target.exists()
    assert list(target.parent.iterdir()) == [target]
    return target.read_text(encoding="utf-8")


def test_csv_has_a_row_per_file(tmp_path: Path) -> None:
    good, unsure, hostile = csv.DictReader(io.StringIO(written(tmp_path, "csv", GOOD, UNSURE, HOSTILE)))
    assert good["file"] == "a/mole.jpg"
    assert (good["code"], good["answer"], good["confidence"]) == ("MEL", "Melanoma", "0.700000")
    assert [float(good[f"probability_{code}"]) for code in CODES] == list(PROBABILITIES.values())
    assert (good["width"], good["height"], good["overlay"], good["error"]) == ("640", "480", "heat/mole.png", "")
    assert good["notice"] == "Research tool, not a diagnosis"
    assert (unsure["answer"], unsure["nearest"]) == ("Not confident", "Melanoma")
    assert hostile["answer"] == hostile["confidence"] == ""
    assert {row["model"] for row in (good, unsure, hostile)} == {"lite"}


def test_csv_ends_in_the_columns_of_doubt(tmp_path: Path) -> None:
    text = written(tmp_path, "csv", GOOD, UNSURE, UNSUITABLE, HOSTILE)
    good, unsure, unsuitable, hostile = csv.DictReader(io.StringIO(text))
    names = text.splitlines()[0].split(",")
    columns = names[names.index("notice") + 1 :]

    def cells(row: dict[str, str]) -> list[str]:
        return [row[column] for column in columns]

    assert cells(good) == ["true", "max_probability", "", "", "", "", "", "", ""]  # of a model without rules
    assert cells(unsure) == ["false", "max_probability", "MEL NV", "0.9", "true", "1.5", "3", "", ""]
    assert cells(unsuitable) == [
        "false", "suitability", "NV", "0.9", "false", "9.25", "3", "No skin has <these> colours.", HINT.message,
    ]  # fmt: skip
    assert cells(hostile) == [""] * len(columns)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "＝"])
def test_csv_cells_are_never_formulas(tmp_path: Path, start: str) -> None:
    result = Result(f"{start}1+1.jpg", error=f"{start}2")
    [row] = csv.DictReader(io.StringIO(written(tmp_path, "csv", result)))
    assert row["file"] == f"'{start}1+1.jpg"
    assert row["error"] == f"'{start}2"


def test_json_holds_model_disclaimer_results_and_summary(tmp_path: Path) -> None:
    document = json.loads(written(tmp_path, "json", GOOD, HOSTILE))
    assert document["disclaimer"] == DISCLAIMER
    assert document["model"] == MODEL
    assert document["summary"] == {"files": 2, "failed": 1, "not_suitable": 0}
    good, bad = document["results"]
    assert good["probabilities"] == PROBABILITIES
    assert good["error"] is None
    assert bad == {"file": HOSTILE.file, "error": HOSTILE.error}


def test_json_has_the_members_of_doubt_that_the_api_has(tmp_path: Path) -> None:
    document = json.loads(written(tmp_path, "json", GOOD, UNSUITABLE))
    assert document["summary"] == {"files": 2, "failed": 0, "not_suitable": 1}
    good, unsuitable = document["results"]
    assert (good["confident"], good["prediction_set"], good["suitability"], good["quality"]) == (True, None, None, None)
    assert (unsuitable["confident"], unsuitable["decided_by"]) == (False, "suitability")
    PredictionSet.model_validate(unsuitable["prediction_set"])
    assert SuitabilityInfo.model_validate(unsuitable["suitability"]).message == NOT_DERMOSCOPIC
    assert QualityInfo.model_validate(unsuitable["quality"]).hints[0].message == HINT.message


def test_json_without_results_is_json(tmp_path: Path) -> None:
    assert json.loads(written(tmp_path, "json"))["results"] == []


class _Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_well_formed_and_runs_nothing(tmp_path: Path) -> None:
    page = written(tmp_path, "html", GOOD, UNSURE, UNSUITABLE, HOSTILE)
    parser = _Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    assert "script" not in parser.seen
    assert parser.seen.count("article") == 4
    assert parser.seen.count("img") == 2
    assert page.count(DISCLAIMER) == 2
    assert "http" not in page.replace("http-equiv", "")  # nothing is loaded from elsewhere
    assert "Not confident (nearest: Melanoma)" in page
    assert "4 files, 1 without an answer, 1 not like a dermoscopic image." in page


def test_html_says_first_that_a_picture_is_unsuitable(tmp_path: Path) -> None:
    page = written(tmp_path, "html", GOOD, UNSURE, UNSUITABLE)
    good, unsure, unsuitable = re.findall(r"<article.*?</article>", page, re.DOTALL)
    assert NOT_DERMOSCOPIC not in good + unsure
    assert unsuitable.index(NOT_DERMOSCOPIC) < unsuitable.index("No skin has &lt;these&gt; colours.")
    assert unsuitable.index("colours.") < unsuitable.index("Not to be relied on: the model would say Melanocytic nevus")
    assert "<li>The photo is &lt;dark&gt;: turn on the light.</li>" in unsuitable
    assert "With 90% coverage, the diagnosis is among: Melanoma, Melanocytic nevus." in unsure
    assert "coverage" not in good + unsuitable  # there is no rule, or it was never measured on such pictures
    assert ['class="doubted"' in article for article in (good, unsure, unsuitable)] == [False, True, True]


def test_an_error_on_the_way_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "results.csv"
    target.write_text("old")

    def fail_midway() -> None:
        with open_writer(target, "csv", MODEL) as writer:
            writer.write(GOOD)
            raise RuntimeError("engine failed")

    with pytest.raises(RuntimeError, match="engine failed"):
        fail_midway()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def write_one(target: Path) -> None:
    with open_writer(target, "csv", MODEL) as writer:
        writer.write(GOOD)


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "kept" / "results.csv", tmp_path / "link.csv"
    real.parent.mkdir()
    real.write_text("old")
    link.symlink_to(real)
    write_one(link)
    assert link.is_symlink()
    assert "Melanoma" in real.read_text()
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".part")] == []


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_text)
        write_one(pipe)
        assert "Melanoma" in read.result(30)
    assert pipe.is_fifo()


def test_a_device_stays_a_device() -> None:
    write_one(Path(os.devnull))
    assert Path(os.devnull).is_char_device()


def test_results_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with open_writer(None, "csv", MODEL) as writer:
        writer.write(GOOD)
    assert len(list(csv.DictReader(io.StringIO(capsys.readouterr().out)))) == 1
