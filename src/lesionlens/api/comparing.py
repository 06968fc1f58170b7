"""Two photos compared: each pair once at a time, and the last pairs remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image

from lesionlens import DISCLAIMER
from lesionlens.api.cache import BoundedCache
from lesionlens.api.pictures import to_jpeg
from lesionlens.api.pool import Pool
from lesionlens.api.schemas.tracker import DifferenceInfo, OutlineInfo, OutlinePair, RegistrationInfo
from lesionlens.errors import RecordConflictError
from lesionlens.imaging import Limits, decode

if TYPE_CHECKING:
    from lesionlens.tracker.change import Difference, Outline, Registration

__all__ = ["PICTURE_SIDE", "Compared", "Comparisons"]

PICTURE_SIDE: Final = 1024
"""Longest side in pixels of the pictures that a comparison makes, at most."""

_CAPACITY: Final = 64 * 1024 * 1024  # bytes; a pair takes about one megabyte
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What came of two photos.

    Attributes:
        statements: What follows, in plain words, without the disclaimer.
        registration: How the later photo lies on the earlier one.
        outlines: Where the lesion lies in each.
        differences: Measures side by side.
        pictures: JPEG files by name: `before`, `after`, `aligned`, `blended`.
    """

    statements: tuple[str, ...]
    registration: RegistrationInfo
    outlines: OutlinePair
    differences: tuple[DifferenceInfo, ...]
    pictures: Mapping[str, bytes]

    @property
    def size(self) -> int:
        """Bytes of the pictures, beside which the rest is nothing."""
        return sum(map(len, self.pictures.values()))


class Comparisons:
    """Compares photos. It belongs to one event loop.

    Args:
        pool: Where it is done.
        limits: Largest accepted photo.
    """

    def __init__(self, pool: Pool, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits
        self._known: BoundedCache[Pair, Compared] = BoundedCache(_CAPACITY, lambda compared: compared.size)
        self._under_way: dict[Pair, asyncio.Task[Compared]] = {}

    async def of(self, pair: Pair, load: Callable[[], Awaitable[tuple[bytes, bytes]]]) -> Compared:
        """Compare two photos, or return what came of it before.

        Args:
            pair: SHA-256 of the earlier and the later photo.
            load: Reads the two files.

        Raises:
            RequestError: Too many comparisons are waiting.
            RecordConflictError: A photo has a shape that cannot be compared.
            StoreError: A file cannot be read.
        """
        known = self._known.get(pair)
        if known is not None:
            return known
        task = self._under_way.get(pair)
        if task is None:
            task = asyncio.create_task(self._compare(pair, load))
            self._under_way[pair] = task
            task.add_done_callback(lambda _: self._under_way.pop(pair, None))
        return await asyncio.shield(task)  # others may wait for the same

    def forget(self) -> None:
        """Forget all pictures, as when photos have been erased."""
        self._known.clear()

    async def _compare(self, pair: Pair, load: Callable[[], Awaitable[tuple[bytes, bytes]]]) -> Compared:
        generation = self._known.generation  # a photo may be erased while it is compared
        before, after = await load()
        compared = await self._pool.run(_compare, before, after, self._limits)
        self._known.put(pair, compared, generation)
        return compared


def _compare(before: bytes, after: bytes, limits: Limits) -> Compared:
    from lesionlens.tracker.change import compare  # OpenCV, which nothing else here needs

    first, second = (decode(data, limits=limits, min_side=PICTURE_SIDE).image for data in (before, after))
    try:
        change = compare(first, second, max_side=PICTURE_SIDE)
    except ValueError as error:
        raise RecordConflictError(f"the photos cannot be compared: {error}") from error
    shown = {
        "before": first.resize(change.aligned.size, Image.Resampling.LANCZOS, reducing_gap=3.0),
        "after": _fit(second),
        "aligned": change.aligned,
        "blended": change.blended,
    }
    return Compared(
        tuple(sentence for sentence in change.statements if sentence != DISCLAIMER),
        _registration(change.registration),
        OutlinePair(before=_outline(change.before_outline), after=_outline(change.after_outline)),
        tuple(map(_difference, change.differences)),
        {name: to_jpeg(picture) for name, picture in shown.items()},
    )


def _fit(image: Image.Image) -> Image.Image:
    shrunk = image.copy()
    shrunk.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS)
    return shrunk


def _registration(found: Registration) -> RegistrationInfo:
    return RegistrationInfo(
        success=found.success,
        method=found.method,
        reason=found.reason,
        inliers=found.inliers,
        correlation=found.correlation,
        zoom=found.zoom,
        turn_degrees=found.turn,
    )


def _outline(found: Outline) -> OutlineInfo:
    polygon = [[round(x, 5), round(y, 5)] for x, y in found.polygon.tolist()]
    return OutlineInfo(found=found.found, reason=found.reason, confidence=found.confidence, polygon=polygon)


def _difference(found: Difference) -> DifferenceInfo:
    quantity = found.quantity
    if not found.comparable:
        verdict = "cannot be compared"
    elif found.changed:
        verdict = quantity.more if found.change > 0.0 else quantity.less
    else:
        verdict = "no clear change"
    return DifferenceInfo(
        name=found.name,
        label=quantity.label,
        unit=quantity.unit,
        before=found.before,
        after=found.after,
        difference=found.after - found.before,
        relative=found.relative,
        change=found.change,
        threshold=found.threshold,
        comparable=found.comparable,
        changed=found.changed,
        verdict=verdict,
    )
