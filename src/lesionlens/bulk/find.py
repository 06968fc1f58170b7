"""Which pictures a person means by files, folders, patterns and URLs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from lesionlens.bulk.find_remote import find_in_url
from lesionlens.bulk.heatmaps import HEATMAP_ENDING
from lesionlens.bulk.storage import Place, as_place, said

__all__ = ["SUFFIXES", "Found", "find_pictures"]

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""Endings, in lower case, that are taken out of folders."""


class Found(NamedTuple):
    """What arguments mean.

    Attributes:
        files: The files, in the order of the arguments and sorted within each, every file once; what was named by a URL
            is one.
        fruitless: The arguments that mean nothing: no such file, a folder without pictures, a pattern without a match.
        unreadable: Folders, on the way to the bottom, and buckets that cannot be read, and why.
    """

    files: list[Place]
    fruitless: list[str]
    unreadable: dict[Place, str]


def find_pictures(arguments: Iterable[str | Path]) -> Found:
    """Find the files that arguments mean.

    Args:
        arguments: Files, taken whatever their ending; folders, searched to the bottom for pictures by ending (hidden
            ones and heatmaps are left out, links to folders are not followed); patterns with `*`, `?`, `[…]` and
            `**` for shells that do not expand them, treated likewise; and URLs that fsspec knows, treated likewise.

    Raises:
        BulkError: What a URL needs is not installed.
    """
    found: dict[Place, None] = {}
    fruitless: list[str] = []
    unreadable: dict[Place, str] = {}
    for argument in arguments:
        failures: dict[Place, str] = {}
        place = as_place(argument)
        files: list[Place] = []
        files += _expand(str(place), failures) if isinstance(place, Path) else _fetch(place, failures)
        if not files and not failures:
            fruitless.append(str(argument))
        found.update(dict.fromkeys(files))
        unreadable.update(failures)
    return Found(list(found), fruitless, unreadable)


def _fetch(url: str, unreadable: dict[Place, str]) -> list[str]:
    try:
        return find_in_url(url, _is_picture)
    except FileNotFoundError:
        return []
    except OSError as error:
        unreadable[url] = said(error)
        return []


def _expand(argument: str, unreadable: dict[Place, str]) -> Iterator[Path]:
    path = Path(argument)
    if path.is_dir():
        yield from _search(path, unreadable)
    elif path.exists():
        yield path
    elif glob.has_magic(argument):
        for match in sorted(glob.glob(argument, recursive=True)):  # noqa: PTH207 (Path.glob takes no absolute pattern)
            hit = Path(match)
            if hit.is_file() and _is_picture(hit.name):
                yield hit
            elif hit.is_dir() and not argument.endswith("**"):
                yield from _search(hit, unreadable)


def _search(folder: Path, unreadable: dict[Place, str]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        unreadable[Path(os.fsdecode(error.filename))] = error.strerror or type(error).__name__

    for where, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and _is_picture(name):
                yield Path(where) / name


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES and not name.lower().endswith(HEATMAP_ENDING)
