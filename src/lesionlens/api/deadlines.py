"""How long an answer may take: as the service says, or less if the client says so.

A client says so with the preference `wait` of RFC 7240, section 4.3: `Prefer: wait=5`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from starlette.requests import Request

from lesionlens.api.problems import DEADLINE_EXCEEDED, RequestError
from lesionlens.settings import Settings

__all__ = ["time_allowed", "within"]

T = TypeVar("T")

_LONGEST_NUMBER: Final = 9  # digits; whoever sends more of them wants no deadline at all


def time_allowed(request: Request, settings: Settings) -> float:
    """Return the seconds that a request may take once it has been received.

    Args:
        request: Its header `Prefer` may ask for less than the settings allow. What is no whole number of seconds is
            ignored, as RFC 7240 wants of every preference that is not understood.
        settings: Give the most.
    """
    seconds = settings.request_timeout
    for header in request.headers.getlist("prefer"):
        for preference in header.split(","):
            name, _, value = preference.partition(";")[0].partition("=")
            digits = value.strip().strip('"')
            if name.strip().lower() == "wait" and digits.isdecimal() and len(digits) <= _LONGEST_NUMBER:
                return min(seconds, float(digits))  # the first one counts (section 2)
    return seconds


async def within(seconds: float, work: Awaitable[T], retry_after: Callable[[], int]) -> T:
    """Do some work, or give it up when its time is over.

    Args:
        seconds: The time; 0 gives up whatever cannot be answered at once.
        work: It is cancelled when its time is over.
        retry_after: Says after how many whole seconds it is worth trying again.

    Raises:
        RequestError: Its time is over (`deadline-exceeded`, with the header `Retry-After`).
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            return await work
    except TimeoutError:
        if not limit.expired():  # the work's own
            raise
        wait = retry_after()
        raise RequestError(
            DEADLINE_EXCEEDED,
            f"There was no answer within {seconds:g} second{'' if seconds == 1 else 's'}, so the photo was dropped. "
            f"Try again in {wait} second{'' if wait == 1 else 's'}.",
            headers={"Retry-After": str(wait)},
        ) from None
