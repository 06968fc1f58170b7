"""Photos of erased visits go for good, whatever happens between the record and the file."""

from __future__ import annotations

import pytest
from places import Place, photo
from structlog.testing import capture_logs

from lesionlens.errors import StoreError
from lesionlens.tracker import Lesion, Tracker
from lesionlens.tracker.removals import finish_removals


def block(tracker: Tracker, sha256: str) -> None:
    """Put a folder where the file is: unlike permissions, that keeps even root from removing it."""
    path = tracker.photos.path(sha256)
    path.rename(path.with_suffix(".aside"))
    path.mkdir()


def unblock(tracker: Tracker, sha256: str) -> None:
    path = tracker.photos.path(sha256)
    path.rmdir()
    path.with_suffix(".aside").rename(path)


def test_a_file_that_cannot_be_removed_is_told_and_removed_by_the_next_start(
    tracker: Tracker, lesion: Lesion, place: Place
) -> None:
    visit = tracker.visits.add(lesion.id, photo())
    block(tracker, visit.photo.sha256)
    with pytest.raises(StoreError, match=r"cannot be removed: .*tried again"):
        tracker.visits.erase(visit.id)
    assert tracker.counts().visits == tracker.counts().photos == 0
    with capture_logs() as logs, Tracker(place.data_dir, place.url):
        pass
    assert [(entry["log_level"], visit.photo.sha256 in entry["reason"]) for entry in logs] == [("warning", True)]
    unblock(tracker, visit.photo.sha256)
    with Tracker(place.data_dir, place.url) as again:
        assert list(again.photos.files()) == []
        assert finish_removals(again._database, again.photos) == 0


def test_a_photo_that_is_needed_again_stays(tracker: Tracker, lesion: Lesion, place: Place) -> None:
    visit = tracker.visits.add(lesion.id, photo())
    block(tracker, visit.photo.sha256)
    with pytest.raises(StoreError):
        tracker.visits.erase(visit.id)
    unblock(tracker, visit.photo.sha256)
    again = tracker.visits.add(lesion.id, photo())
    assert finish_removals(tracker._database, tracker.photos) == 0
    with Tracker(place.data_dir, place.url) as other:
        assert other.visits.photo(again.id) == photo()
