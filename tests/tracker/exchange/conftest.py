"""Stores to export from and to import into, of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from filled_store import fill
from places import Place

from lesionlens.tracker import Tracker


@pytest.fixture
def filled(tracker: Tracker) -> Tracker:
    """The store, filled."""
    fill(tracker)
    return tracker


@pytest.fixture
def other(new_place: Callable[[], Place]) -> Iterator[Tracker]:
    """Another store, empty."""
    place = new_place()
    with Tracker(place.data_dir, place.url) as opened:
        yield opened
