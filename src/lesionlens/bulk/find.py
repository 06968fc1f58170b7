"""Which pictures a person means by files, folders and patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

__all__ = ["SUFFIXES", "find_pictures"]

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""Endings, in lower case, that are taken out of folders."""


def find_pictures(arguments: Iterable[str | Path]) -> tuple[list[Path], list[str]]:
    """Find the files that arguments mean.

    Args:
        arguments: Files, taken whatever their ending; folders, searched to the bottom for pictures by ending (hidden
            ones are left out, links to folders are not followed); and patterns with `*`, `?`, `[…]` and `**` for
            shells that do not expand them, treated likewise.

    Returns:
        The files, in the order of the arguments and sorted within each, every file once; and the arguments that mean
        nothing: no such file, a folder without pictures, a pattern without a match.
    """
    found: dict[Path, None] = {}
    fruitless = []
    for argument in arguments:
        files = list(_expand(str(argument)))
        if not files:
            fruitless.append(str(argument))
        found.update(dict.fromkeys(files))
    return list(found), fruitless


def _expand(argument: str) -> Iterator[Path]:
    path = Path(argument)
    if path.is_dir():
        yield from _search(path)
    elif path.exists():
        yield path
    elif glob.has_magic(argument):
        for match in sorted(glob.glob(argument, recursive=True)):  # noqa: PTH207 (Path.glob takes no absolute pattern)
            hit = Path(match)
            if hit.is_file() and hit.suffix.lower() in SUFFIXES:
                yield hit
            elif hit.is_dir() and not argument.endswith("**"):
                yield from _search(hit)


def _search(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(where) / name
