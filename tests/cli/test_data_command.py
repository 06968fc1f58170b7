"""`lesionlens data` as a person runs it, against a real server and real pictures."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from file_server import FileServer, serve
from lesionlens.datasets.catalogue import COLLECTIONS, RemoteFile

Run = Callable[..., Result]
CSV = b"image,MEL\r\nISIC_1,1\r\n"


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A mirror that has ISIC 2019 reduced to one small file."""
    small = replace(COLLECTIONS["isic2019"], files=(RemoteFile("2019/Truth.csv", size=len(CSV)),))
    monkeypatch.setitem(COLLECTIONS, "isic2019", small)
    with serve(FileServer({"/2019/Truth.csv": CSV})) as running:
        yield running


def test_fetch_shows_the_licence_and_fetches(run: Run, mirror: FileServer, tmp_path: Path) -> None:
    result = run("data", "fetch", "isic2019", tmp_path / "d", "--accept-licence", "--base-url", mirror.url)
    assert result.exit_code == 0, result.stderr
    assert "CC BY-NC 4.0" in result.stdout
    assert "HAM10000" in result.stdout
    assert "Truth.csv: fetched" in result.stdout
    assert (tmp_path / "d" / "Truth.csv").read_bytes() == CSV
    again = run("data", "fetch", "isic2019", tmp_path / "d", "--accept-licence", "--base-url", mirror.url)
    assert "Truth.csv: already there" in again.stdout


def test_fetch_without_consent_fetches_nothing(run: Run, mirror: FileServer, tmp_path: Path) -> None:
    result = run("data", "fetch", "isic2019", tmp_path / "d", "--base-url", mirror.url)
    assert result.exit_code == 2
    assert "--accept-licence" in result.stderr
    assert mirror.requests == []
    assert not (tmp_path / "d").exists()


def test_fetch_asks_in_a_terminal_and_takes_no_for_an_answer(mirror: FileServer, tmp_path: Path) -> None:
    terminal, its_end = pty.openpty()
    program = "from lesionlens.cli import app; app()"
    arguments = ["data", "fetch", "isic2019", str(tmp_path / "d"), "--base-url", mirror.url]
    try:
        os.write(terminal, b"n\n")
        ended = subprocess.run(
            [sys.executable, "-c", program, *arguments], stdin=its_end, capture_output=True, text=True, timeout=60
        )
    finally:
        os.close(terminal)
        os.close(its_end)
    assert ended.returncode == 1
    assert "Do you accept the licence?" in ended.stdout
    assert mirror.requests == []
    assert not (tmp_path / "d").exists()


def test_fetch_without_httpx_says_what_to_install(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("lesionlens.datasets.fetch", "lesionlens.datasets.download"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "httpx", None)
    result = run("data", "fetch", "isic2019", tmp_path, "--accept-licence")
    assert result.exit_code == 2
    assert "pip install 'lesionlens[data]'" in result.stderr


def test_fetch_that_fails_says_why(run: Run, mirror: FileServer, tmp_path: Path) -> None:
    mirror.files.clear()
    result = run("data", "fetch", "isic2019", tmp_path / "d", "--accept-licence", "--base-url", mirror.url)
    assert result.exit_code == 1
    assert "404 Not Found" in result.stderr
    assert "Traceback" not in result.output


def test_fetch_knows_two_collections(run: Run, tmp_path: Path) -> None:
    assert run("data", "fetch", "isic2020", tmp_path, "--accept-licence").exit_code == 2


@pytest.fixture
def folder(pictures: Path) -> Path:
    names = sorted(p.stem for p in pictures.iterdir())
    rows = "".join(f"{name},NV,{i},{i}\n" for i, name in enumerate(names))
    (pictures / "isic2019_folds.csv").write_text(f"image,label,group,fold\n{rows}")
    return pictures


def test_check_of_a_sound_folder_succeeds(run: Run, folder: Path) -> None:
    result = run("data", "check", folder)
    assert result.exit_code == 0
    assert "3 rows; 3 pictures" in result.stdout
    assert "NV 3" in result.stdout
    assert "Nothing is wrong." in result.stdout


def test_check_lists_what_is_wrong_and_fails(run: Run, folder: Path) -> None:
    pictures = sorted(folder.glob("*.jpg"))
    pictures[0].write_bytes(pictures[0].read_bytes()[:3000])
    (folder / "ISIC_9999999.jpg").write_bytes(pictures[1].read_bytes())
    result = run("data", "check", folder)
    assert result.exit_code == 1
    assert "unreadable picture" in result.stdout
    assert pictures[0].stem in result.stdout
    assert "picture without a row" in result.stdout
    quick = run("data", "check", folder, "--quick")
    assert quick.exit_code == 0
    assert "--quick" in quick.stdout
    assert "Nothing that would stop or mislead training." in quick.stdout


def test_check_prints_json(run: Run, folder: Path) -> None:
    sorted(folder.glob("*.jpg"))[0].unlink()
    result = run("data", "check", folder, "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["serious"] is True
    assert [f["problem"] for f in report["findings"]] == ["row without a picture"]


def test_check_of_what_is_no_data_folder(run: Run, tmp_path: Path) -> None:
    result = run("data", "check", tmp_path)
    assert result.exit_code == 2
    assert "holds neither isic2019_folds.csv nor" in " ".join(result.stderr.split())


def test_folds_of_a_fetched_isic_2018_keep_lesions_and_copies_together(run: Run, tmp_path: Path) -> None:
    names = [f"ISIC_{i:07d}" for i in range(12)]
    pictures, truth = (tmp_path / f"ISIC2018_Task3_Training_{part}" for part in ("Input", "GroundTruth"))
    pictures.mkdir()
    truth.mkdir()
    for i, name in enumerate(names[:-1]):  # the last one has no picture
        (pictures / f"{name}.JPG").write_bytes(b"same" if i in {1, 2} else name.encode())
    rows = "".join(f"{name},{i % 2},{(i + 1) % 2}\n" for i, name in enumerate(names))
    (truth / f"{truth.name}.csv").write_text(f"image,MEL,NV\n{rows}")
    lesions = "".join(f"{name},HAM_{i // 2}\n" for i, name in enumerate(names))
    (tmp_path / "ISIC2018_Task3_Training_LesionGroupings.csv").write_text(f"image,lesion_id\n{lesions}")
    result = run("data", "folds", tmp_path, "--number", "3")
    assert result.exit_code == 0, result.output
    assert "12 pictures in folds of 4, 4, 4" in result.stdout
    assert "1 fewer than before" in result.stdout
    assert "Rows without a picture, which could not be compared: 1" in result.stdout
    with (tmp_path / "isic2019_folds.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["group"] for row in written[:5]] == ["HAM_0", "HAM_0", "HAM_0", "HAM_0", "HAM_2"]
    assert len({row["fold"] for row in written[:4]}) == 1
    assert run("data", "folds", tmp_path).exit_code == 2
    assert run("data", "folds", tmp_path, "--replace", "--number", "6").exit_code == 1
