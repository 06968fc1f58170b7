"""`lesionlens classify` as a person runs it, on real pictures."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from fitted import LIKE, UNLIKE
from lesionlens import CODES, DISCLAIMER, Classifier
from lesionlens.doubt import NOT_DERMOSCOPIC
from lesionlens.imaging import decode

Run = Callable[..., Result]


def flat(text: str) -> str:
    """The text without line breaks that only fit it to the terminal."""
    return " ".join(text.split())


def test_a_table_ends_with_the_disclaimer(run: Run, pictures: Path, model: str) -> None:
    result = run("classify", pictures, "--model", model)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split()[:4] == ["File", "Answer", "Confidence", "Malignant"]
    assert all(any(file.name in line and "%" in line for line in lines) for file in pictures.iterdir())
    assert flat(result.stdout).endswith(DISCLAIMER)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder with a photo that a model may judge, and one of nothing at all."""
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "like.jpg").write_bytes(LIKE)
    (folder / "unlike.png").write_bytes(UNLIKE)
    return folder


def test_a_table_marks_what_looks_like_no_dermoscopic_image(
    run: Run, odd: Path, fitted: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # a line for each row
    result = run("classify", odd, "--model", fitted.bundle.path)
    assert result.exit_code == 0, result.stderr  # it is an answer
    header, like, unlike, after, *_ = result.stdout.splitlines()
    analyses = fitted.analyse([decode(data).image for data in (LIKE, UNLIKE)])
    possible, reasons = analyses[0].prediction_set, analyses[1].suitability
    assert possible is not None
    assert reasons is not None
    assert header.rstrip().endswith("Malignant  90% set")
    assert like.rstrip().endswith(" ".join(CODES[index] for index in possible))
    assert "!" not in like
    said = f"{NOT_DERMOSCOPIC} {reasons.reasons[0].message}"
    assert f"! {said} Not to be relied on: {analyses[1].diagnosis.name}" in unlike
    assert unlike.rstrip().endswith("%")  # no prediction set
    assert after.startswith("2 pictures, 0 without an answer, 1 not like a dermoscopic image.")
    assert flat(result.stdout).endswith(DISCLAIMER)


def test_files_of_results_hold_the_doubt(run: Run, odd: Path, fitted: Classifier, tmp_path: Path) -> None:
    for ending in ("csv", "json", "html"):
        target = tmp_path / f"results.{ending}"
        result = run("classify", odd, "--model", fitted.bundle.path, "--output", target)
        assert result.exit_code == 0, result.stderr
        assert "2 pictures, 0 without an answer, 1 not like a dermoscopic image" in flat(result.stderr)
    like, unlike = csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text()))
    assert (like["suitable"], unlike["suitable"], unlike["confident"]) == ("true", "false", "false")
    document = json.loads((tmp_path / "results.json").read_text())
    assert [r["suitability"]["suitable"] for r in document["results"]] == [True, False]
    assert document["results"][0]["prediction_set"]["codes"] == like["prediction_set"].split()
    assert (tmp_path / "results.html").read_text().count(NOT_DERMOSCOPIC) == 1


def test_a_bad_picture_is_reported_and_the_rest_go_on(run: Run, pictures: Path, model: str) -> None:
    (pictures / "bad [red].jpg").write_text("not a picture")
    output = pictures.parent / "results.csv"
    result = run("classify", pictures, "--model", model, "--output", output)
    assert result.exit_code == 1
    assert "bad [red].jpg: the file is not a picture" in flat(result.stderr)
    rows = list(csv.DictReader(io.StringIO(output.read_text())))
    assert [bool(row["error"]) for row in rows].count(True) == 1
    assert [bool(row["answer"]) for row in rows].count(True) == 3
    assert "4 pictures, 1 without an answer" in flat(result.stderr)
    assert DISCLAIMER in flat(result.stderr)


def test_a_table_names_what_failed(run: Run, pictures: Path, model: str) -> None:
    result = run("classify", pictures, pictures / "gone.jpg", "--model", model)
    assert result.exit_code == 1
    assert "Not classified: there is no such file" in flat(result.stdout)


@pytest.mark.parametrize("arguments", [("--output", "-", "--format", "json"), ("--format", "json")])
def test_json_goes_to_standard_output_and_nothing_else(
    run: Run, pictures: Path, model: str, arguments: tuple[str, ...]
) -> None:
    result = run("classify", pictures, "--model", model, *arguments)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert len(document["results"]) == 3
    assert document["model"]["name"]
    assert DISCLAIMER in flat(result.stderr)


def test_a_page_and_heatmaps(run: Run, pictures: Path, model: str, tmp_path: Path) -> None:
    page, heat = tmp_path / "page.html", tmp_path / "heat"
    result = run("classify", pictures, "--model", model, "-o", page, "--overlays", heat, "--class", "mel")
    assert result.exit_code == 0, result.stderr
    assert page.read_text().count("data:image/jpeg;base64,") == 6
    assert {p.name for p in heat.iterdir()} == {f"{p.stem}-heatmap.png" for p in pictures.iterdir()}


def test_heatmaps_beside_their_pictures_leave_them_as_they_are(
    run: Run, pictures: Path, model: str, real_sample: dict[str, bytes]
) -> None:
    first = next(iter(pictures.iterdir()))
    Image.open(first).save(pictures / "mole.png")
    before = {p.name: p.read_bytes() for p in pictures.iterdir()}
    for _ in range(2):  # the second time, the heatmaps of the first are no pictures
        result = run("classify", pictures, "--model", model, "--overlays", pictures, "--format", "json")
        assert result.exit_code == 0, result.stderr
        assert len(json.loads(result.stdout)["results"]) == 4
    assert {p.name: p.read_bytes() for p in pictures.iterdir() if "heatmap" not in p.name} == before
    assert (pictures / "mole-heatmap.png").is_file()


def test_nothing_starts_that_would_replace_a_picture(run: Run, pictures: Path, model: str) -> None:
    first = next(iter(pictures.iterdir()))
    heatmap = pictures.parent / f"{first.stem}-heatmap.png"
    heatmap.symlink_to(first)  # found out under another name, too
    before = first.read_bytes()
    result = run("classify", first, "--model", model, "--overlays", pictures.parent)
    assert result.exit_code == 2
    assert f"would replace the picture {first}" in flat(result.stderr)
    assert first.read_bytes() == before


def test_a_folder_that_cannot_be_read_is_reported(
    run: Run, pictures: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pictures / "private").mkdir()
    scan = os.scandir

    def refuse(path: str) -> Any:
        if str(path).endswith("private"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    result = run("classify", pictures, "--model", model, "--format", "json")
    assert result.exit_code == 1
    assert "private: the folder cannot be read: Permission denied" in flat(result.stderr)
    assert len(json.loads(result.stdout)["results"]) == 4
    alone = run("classify", pictures / "private", "--model", model)
    assert alone.exit_code == 2
    assert "cannot be read: Permission denied" in flat(alone.stderr)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "no pictures found in nowhere"),
        ((".", "--output", "results.xlsx"), "end it in .csv, .json or .html"),
        ((".", "--output", "-"), "cannot tell a format from '-'"),
        ((".", "--output", ".", "--format", "csv"), "the output . is a folder"),
        ((".", "--class", "WART"), "unknown diagnosis 'WART'"),
        ((".", "--model", "nothing"), "no model 'nothing'"),
        ((".", "--engine", "abacus"), "unknown engine 'abacus'"),
    ],
)
def test_what_cannot_start_says_why(
    run: Run, pictures: Path, model: str, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(pictures)
    result = run("classify", "--model", model, *arguments)
    assert result.exit_code == 2
    assert message in flat(result.stderr)
    assert "Traceback" not in result.output


def test_an_output_that_cannot_be_written_says_so(run: Run, pictures: Path, model: str) -> None:
    (pictures.parent / "file").touch()
    result = run("classify", pictures, "--model", model, "-o", pictures.parent / "file" / "results.csv")
    assert result.exit_code == 1
    assert "error: " in result.stderr
    assert "Traceback" not in result.output


def test_the_output_is_never_one_of_the_pictures(run: Run, pictures: Path) -> None:
    picture = next(iter(pictures.iterdir()))
    before = picture.read_bytes()
    result = run("classify", pictures, "--output", picture, "--format", "csv")
    assert result.exit_code == 2
    assert "is one of the pictures" in flat(result.stderr)
    assert picture.read_bytes() == before
