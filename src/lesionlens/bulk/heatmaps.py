"""What heatmaps are called on disk, so that they are neither taken for pictures nor put in the place of one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ["HEATMAP_ENDING", "HeatmapNames", "replaced_pictures"]

HEATMAP_ENDING: Final = "-heatmap.png"


class HeatmapNames:
    """Gives heatmaps their names: that of the picture with an ending, numbered where two pictures share one.

    Args:
        folder: Where the heatmaps lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = set()

    def new(self, file: Path) -> Path:
        """Return the path for the heatmap of the next picture.

        Args:
            file: The picture.
        """
        name, number = file.stem, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{file.stem}-{number}"
        self._taken.add(name.casefold())
        return self._folder / f"{name}{HEATMAP_ENDING}"


def replaced_pictures(files: Iterable[Path], folder: Path) -> list[Path]:
    """Return which pictures would be replaced by heatmaps, under whatever name or link they are known.

    Args:
        files: The pictures, in the order in which they will be classified.
        folder: Where the heatmaps will lie.
    """
    files, names = list(files), HeatmapNames(folder)
    targets = {identity for file in files if (identity := _identity(names.new(file))) is not None}
    return [file for file in files if targets and _identity(file) in targets]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 (follows links, as writing does)
    except OSError:
        return None
    return status.st_dev, status.st_ino
