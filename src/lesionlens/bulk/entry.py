"""What is to be classified: a list of pictures, each with all that any machine needs to know of it."""

from __future__ import annotations

from typing import NamedTuple

from lesionlens.bulk.find import Found
from lesionlens.bulk.heatmaps import HeatmapNames
from lesionlens.bulk.storage import Place

__all__ = ["Entry", "entries_of"]


class Entry(NamedTuple):
    """One picture, or why there is none.

    Attributes:
        place: The file as it was named.
        heatmap: Where its heatmap goes; None for no heatmap.
        error: Why there is nothing to read; empty if there may be.
    """

    place: Place
    heatmap: Place | None = None
    error: str = ""


def entries_of(found: Found, overlays: Place | None) -> list[Entry]:
    """Return what was found as entries: first what was not, then the pictures.

    The name of a heatmap depends on all that come before, so they are given here, once, for all machines.

    Args:
        found: What the arguments mean.
        overlays: Folder for heatmaps; None for none.
    """
    names = None if overlays is None else HeatmapNames(overlays)
    return [
        *(Entry(argument, error="there is no such file, and no picture in it") for argument in found.fruitless),
        *(Entry(place, error=f"the folder cannot be read: {why}") for place, why in found.unreadable.items()),
        *(Entry(file, None if names is None else names.new(file)) for file in found.files),
    ]
