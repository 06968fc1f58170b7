"""`lesionlens classify` stopped and started again: the same file at the end, to the byte."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
# A program that a shell started in the background ignores Ctrl-C, and so would all that it starts.
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from lesionlens.cli import app; app()"
)
PICTURES = 200  # four parts


@pytest.fixture
def many(tmp_path: Path, real_sample: dict[str, bytes]) -> Path:
    """A folder of pictures, one of them bad."""
    folder = tmp_path / "many"
    folder.mkdir()
    photos = list(real_sample.values())
    for i in range(PICTURES):
        (folder / f"{i:03}.jpg").write_bytes(b"bad" if i == 70 else photos[i % len(photos)])
    return folder


def flat(text: str) -> str:
    return " ".join(text.split())


def started(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, "classify", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def stop_after_a_part(process: subprocess.Popen[str], parts: Path, sig: int) -> str:
    deadline = time.monotonic() + 120
    while not list(parts.glob("part-*")):
        assert process.poll() is None, "it ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(sig)
    _, said = process.communicate(timeout=120)
    return said


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_ends_as_if_it_had_not_been(run: Run, many: Path, model: str, tmp_path: Path, sig: int) -> None:
    whole, output = tmp_path / "whole.csv", tmp_path / "stopped.csv"
    options = ("--model", model, "--threads", "1")
    process = started(many, "-o", output, *options)
    said = stop_after_a_part(process, tmp_path / "stopped.csv.parts", sig)
    if sig == signal.SIGINT:
        assert process.returncode == 130
        assert "pictures are kept in" in flat(said)
        assert "the same command goes on from there" in flat(said)
    assert not output.exists()
    result = run("classify", many, "-o", output, *options)
    assert result.exit_code == 1  # for the bad picture
    assert f"of {PICTURES} pictures are done" in flat(result.stderr)
    assert f"{PICTURES} pictures, 1 without an answer" in flat(result.stderr)
    assert run("classify", many, "-o", whole, *options).exit_code == 1
    assert output.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "stopped.csv.parts").exists()


def test_another_model_or_option_is_refused(run: Run, many: Path, model: str, tmp_path: Path) -> None:
    output = tmp_path / "results.json"
    stop_after_a_part(started(many, "-o", output, "--model", model), tmp_path / "results.json.parts", signal.SIGKILL)
    other = run("classify", many, "-o", output, "--model", model, "--tta", "2")
    assert other.exit_code == 2
    assert "holds another run" in flat(other.stderr)
    assert "tta 2" in flat(other.stderr)
    elsewhere = run("classify", many / "000.jpg", "-o", output, "--model", model)
    assert elsewhere.exit_code == 2
    assert "option paths was" in flat(elsewhere.stderr)
    assert run("classify", many / "000.jpg", "-o", output, "--model", model, "--restart").exit_code == 0
    assert not (tmp_path / "results.json.parts").exists()


def test_a_folder_gets_parts_and_errors_are_tried_again_if_wanted(
    run: Run, pictures: Path, model: str, tmp_path: Path
) -> None:
    good = next(iter(pictures.glob("*.jpg"))).read_bytes()
    (pictures / "late.jpg").write_bytes(b"not there yet")
    out = f"{tmp_path / 'out'}/"
    arguments = ("classify", pictures, "-o", out, "--format", "csv", "--model", model)
    assert run(*arguments).exit_code == 1
    (pictures / "late.jpg").write_bytes(good)
    again = run(*arguments)
    assert again.exit_code == 1  # what is done is done
    assert "4 of 4 pictures are done" in flat(again.stderr)
    assert run(*arguments, "--retry-errors").exit_code == 0
    [part] = (tmp_path / "out").glob("part-*.csv")
    rows = list(csv.DictReader(io.StringIO(part.read_text())))
    assert [bool(row["answer"]) for row in rows] == [True] * 4
    assert sorted(p.name for p in (tmp_path / "out").iterdir() if p.name.startswith("_")) == [
        "_listing.json.gz",
        "_manifest.json",
    ]


def test_a_folder_takes_tables_only(run: Run, pictures: Path) -> None:
    result = run("classify", pictures, "-o", "out/", "--format", "html")
    assert result.exit_code == 2
    assert "a folder takes csv or parquet" in flat(result.stderr)


def test_heatmaps_are_all_there_after_a_stop(run: Run, many: Path, model: str, tmp_path: Path) -> None:
    heat = tmp_path / "heat"
    options = ("-o", tmp_path / "r.csv", "--overlays", heat, "--model", model)
    stop_after_a_part(started(many, *options), tmp_path / "r.csv.parts", signal.SIGKILL)
    assert run("classify", many, *options).exit_code == 1
    names = {f"{i:03}-heatmap.png" for i in range(PICTURES) if i != 70}
    assert {p.name for p in heat.iterdir()} == names
    for row in csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text())):
        assert row["error"] or row["overlay"] == os.fspath(heat / f"{Path(row['file']).stem}-heatmap.png")
