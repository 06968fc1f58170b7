"""The tracker of a running app: opened when it starts, closed when its requests are done, off where it may not run.

A route that needs it takes a `Records`:

    @router.get("/people")
    async def people(records: Records) -> ...:
        page = await records.run(records.tracker.people.list)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final, ParamSpec, TypeVar, cast

from fastapi import Depends, Request

from lesionlens.api.access import why_off
from lesionlens.api.access.touched import touch
from lesionlens.api.cache import BoundedCache
from lesionlens.api.comparing import Comparisons
from lesionlens.api.pool import Pool
from lesionlens.api.problems import TRACKER_OFF, RequestError
from lesionlens.errors import SettingsError, StoreError
from lesionlens.imaging import Limits
from lesionlens.inference.threads import usable_cpus
from lesionlens.settings import Settings

if TYPE_CHECKING:
    from lesionlens.tracker import Tracker

__all__ = ["Records", "TrackerState", "Tracking"]

P = ParamSpec("P")
T = TypeVar("T")

_THREADS: Final = 8  # they wait for the disk most of the time; the store has more connections than that
_WAITING: Final = 256
_THUMBNAIL_BYTES: Final = 32 * 1024 * 1024
_NOT_STARTED: Final = "The service has not started."
_FAILED: Final = (
    "The records could not be opened. The log of the service says why, and `lesionlens doctor` examines them; when "
    "that is mended, start the service again."
)


class TrackerState:
    """The tracker of an app, or why there is none.

    Args:
        settings: Say whether it may run, and how large photos may be. Where its data lie is read from the environment
            (`lesionlens.tracker.settings`) when it is opened.

    Attributes:
        reason: Why there is no tracker and what to do about it, in words for anybody; None while it is open.
        limits: Largest accepted photo.
        photos: Where photos are looked at and written: few at once, since a decoded one takes much memory.
        pictures: Where small pictures of photos are made.
        thumbnails: JPEG files that were made last, by the photo's SHA-256 and the longest side.
        comparisons: What compares photos, one for each core at a time.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tracker: Tracker | None = None
        self._pool: Pool | None = None
        self.reason: str | None = _NOT_STARTED
        self.limits = Limits(max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels)
        self.photos: Pool
        self.pictures: Pool
        self.thumbnails: BoundedCache[tuple[str, int], bytes] = BoundedCache(_THUMBNAIL_BYTES, len)
        self.comparisons: Comparisons
        self._comparing: Pool

    @property
    def enabled(self) -> bool:
        """Whether the tracker is open."""
        return self._tracker is not None

    @property
    def tracker(self) -> Tracker:
        """The open tracker; its methods block, so call them by `run`.

        Raises:
            RequestError: It is off (`tracker-off`).
        """
        if self._tracker is None:
            raise RequestError(TRACKER_OFF, f"The tracker is off. {self.reason}")
        return self._tracker

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something that reads or writes records, without blocking the event loop.

        Args:
            work: What to call, such as a method of `tracker.people`.
            *args: Its arguments.
            **kwargs: Its keyword arguments.

        Raises:
            RequestError: The tracker is off, or too many requests wait for it.
            RecordError: The records do not allow it.
            StoreError: The database or a photo file failed.
        """
        if self._pool is None:
            raise RequestError(TRACKER_OFF, f"The tracker is off. {self.reason}")
        return touch(await self._pool.run(work, *args, **kwargs))

    async def open(self) -> None:
        """Open the tracker if it may run. Where it cannot be opened it stays off; the rest of the app needs it not."""
        self.reason = why_off(self._settings)
        if self.reason is not None:
            return
        try:
            self._tracker = await asyncio.to_thread(self._open)
        except (SettingsError, StoreError) as error:  # may name files, which only the log's readers should learn
            logging.getLogger("lesionlens.tracker").error("the tracker is off: %s", error)
            self.reason = _FAILED
            return
        self._pool = Pool("records", _THREADS, _WAITING, "requests to the records")
        self.photos = Pool("photos", self._settings.decode_threads, _WAITING, "photos to be kept")
        self.pictures = Pool("pictures", self._settings.decode_threads, _WAITING, "photos to be drawn")
        self._comparing = Pool("compare", usable_cpus(), _WAITING, "comparisons waiting")
        self.comparisons = Comparisons(self._comparing, self.limits)

    def _open(self) -> Tracker:
        from lesionlens.tracker import Tracker

        return Tracker.from_settings(limits=self.limits)

    def forget_pictures(self) -> None:
        """Forget what was made of photos, since some have been erased."""
        self.thumbnails.clear()
        if self.enabled:
            self.comparisons.forget()

    async def close(self) -> None:
        """Finish what was accepted, then close the tracker."""
        if self._tracker is None or self._pool is None:
            return
        self.reason = _NOT_STARTED
        tracker, pool = self._tracker, self._pool
        for each in (self._comparing, self.pictures, self.photos, pool):
            await asyncio.to_thread(each.close)
        self.forget_pictures()
        self._tracker = self._pool = None
        await asyncio.to_thread(tracker.close)


def _tracking(request: Request) -> TrackerState:
    return cast("TrackerState", request.app.state.lesionlens.tracking)


def _opened(request: Request) -> TrackerState:
    state = _tracking(request)
    _ = state.tracker
    return state


Tracking = Annotated[TrackerState, Depends(_tracking)]
"""Parameter type of a route that answers whether the tracker is on or off."""

Records = Annotated[TrackerState, Depends(_opened)]
"""Parameter type of a route that needs the open tracker; `tracker-off` (503) is answered where there is none."""
