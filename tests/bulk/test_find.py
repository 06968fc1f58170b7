"""Which files arguments mean."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from lesionlens.bulk import find_pictures


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.jpg", "sub/c.jpeg", "sub/.cache/d.jpg", "sub/deep/e.tiff"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(arguments: list[str]) -> tuple[list[str], list[str]]:
    found, fruitless, _ = find_pictures(arguments)
    return [p.as_posix() for p in found], fruitless


def test_a_folder_is_searched_to_the_bottom_without_hidden_files(tree: Path) -> None:
    assert names(["."]) == (["a.png", "b.JPG", "sub/c.jpeg", "sub/deep/e.tiff"], [])


def test_a_named_file_is_taken_whatever_its_ending(tree: Path) -> None:
    assert names(["notes.txt", ".hidden.jpg"]) == (["notes.txt", ".hidden.jpg"], [])


def test_patterns_work_where_the_shell_expands_none(tree: Path) -> None:
    assert names(["*.png", "sub/**/*.tiff"]) == (["a.png", "sub/deep/e.tiff"], [])
    assert names(["**"])[0] == ["a.png", "b.JPG", "sub/c.jpeg", "sub/deep/e.tiff"]
    assert names(["su*"])[0] == ["sub/c.jpeg", "sub/deep/e.tiff"]


def test_a_file_with_brackets_in_its_name_is_a_file(tree: Path) -> None:
    (tree / "photo[1].jpg").write_bytes(b"x")
    assert names(["photo[1].jpg"]) == (["photo[1].jpg"], [])


def test_heatmaps_are_no_pictures_unless_named(tree: Path) -> None:
    (tree / "a-heatmap.png").write_bytes(b"x")
    (tree / "sub" / "c-Heatmap.PNG").write_bytes(b"x")
    assert names(["."])[0] == names(["**"])[0] == ["a.png", "b.JPG", "sub/c.jpeg", "sub/deep/e.tiff"]
    assert names(["*.png"])[0] == ["a.png"]
    assert names(["a-heatmap.png"])[0] == ["a-heatmap.png"]


def test_folders_that_cannot_be_read_are_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refuse(path: str) -> Any:
        if str(path).endswith("deep"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_pictures([".", "sub/deep"])
    assert [p.as_posix() for p in found.files] == ["a.png", "b.JPG", "sub/c.jpeg"]
    assert found.unreadable == {Path("sub/deep"): "Permission denied"}
    assert found.fruitless == []


def test_every_file_is_taken_once(tree: Path) -> None:
    assert names(["b.JPG", ".", "b.JPG"])[0] == ["b.JPG", "a.png", "sub/c.jpeg", "sub/deep/e.tiff"]


def test_arguments_that_mean_nothing_are_named(tree: Path) -> None:
    (tree / "empty").mkdir()
    assert names(["none.jpg", "empty", "*.webp", "a.png"]) == (["a.png"], ["none.jpg", "empty", "*.webp"])


def test_a_loop_of_links_ends(tree: Path) -> None:
    (tree / "sub" / "loop").symlink_to(tree, target_is_directory=True)
    assert len(names(["."])[0]) == 4
