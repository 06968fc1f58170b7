"""What heatmaps are called on disk, so that they are neither taken for pictures nor put in the place of one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from lesionlens.bulk.storage import Place, name_of

__all__ = ["HEATMAP_ENDING", "HeatmapNames", "replaced_pictures"]

HEATMAP_ENDING: Final = "-heatmap.png"


class HeatmapNames:
    """Gives heatmaps their names: that of the picture with an ending, numbered where two pictures share one.

    Args:
        folder: Where the heatmaps lie; a folder of this machine, or a URL.
    """

    def __init__(self, folder: Place) -> None:
        self._folder = folder
        self._taken: set[str] = set()

    def new(self, file: Place) -> Place:
        """Return the path for the heatmap of the next picture.

        Args:
            file: The picture.
        """
        stem = PurePosixPath(name_of(file)).stem
        name, number = stem, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name.casefold())
        name += HEATMAP_ENDING
        return self._folder / name if isinstance(self._folder, Path) else f"{self._folder.rstrip('/')}/{name}"


def replaced_pictures(files: Iterable[Place], folder: Place) -> list[Place]:
    """Return which pictures would be replaced by heatmaps, under whatever name or link they are known.

    Args:
        files: The pictures, in the order in which they will be classified.
        folder: Where the heatmaps will lie.
    """
    files, names = list(files), HeatmapNames(folder)
    targets = {identity for file in files if (identity := _identity(names.new(file))) is not None}
    return [file for file in files if targets and _identity(file) in targets]


def _identity(path: Place) -> str | tuple[int, int] | None:
    if not isinstance(path, Path):
        return path
    try:
        status = os.stat(path)  # noqa: PTH116 (follows links, as writing does)
    except OSError:
        return None
    return status.st_dev, status.st_ino
