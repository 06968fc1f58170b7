"""The arithmetic of the sliding window counter, against what the library itself lets through."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from lesionlens.api.limits.answers import headers_of
from lesionlens.api.limits.windows import Count, Quota

MINUTE = Quota(120, 60)


@pytest.mark.parametrize(
    ("count", "remaining", "reset", "wait"),
    [
        (Count(MINUTE, 0, 0.0, 0, 0.0), 120, 0, 0),  # nobody has asked
        (Count(MINUTE, 0, 0.0, 1, 119.5), 119, 60, 0),
        (Count(MINUTE, 120, 60.0, 0, 120.0), 0, 1, 1),  # the last window was full and has just ended
        (Count(MINUTE, 120, 30.0, 0, 90.0), 60, 30, 0),  # half of it counts
        (Count(MINUTE, 120, 30.0, 60, 90.0), 0, 1, 1),
        (Count(MINUTE, 60, 30.0, 100, 90.0), 0, 11, 11),  # 60·t/60 < 20, so t < 20 of 30
        (Count(MINUTE, 0, 0.0, 120, 100.0), 0, 41, 41),  # this window is full, and 40 s of it are left
        (Count(MINUTE, 0, 0.0, 240, 100.0), 0, 71, 71),  # two processes together: half the next window too
    ],
)
def test_what_is_left_and_when_there_is_more(count: Count, remaining: int, reset: int, wait: int) -> None:
    assert (count.remaining, count.reset, count.wait) == (remaining, reset, wait)


def test_headers_tell_of_every_quota() -> None:
    counts = (Count(Quota(2, 60), 0, 0.0, 1, 100.4), Count(Quota(9, 3600), 3, 1800.0, 1, 5000.0))
    assert headers_of(counts) == {
        "RateLimit-Policy": '"2-in-60s";q=2;w=60, "9-in-3600s";q=9;w=3600',
        "RateLimit": '"2-in-60s";r=1;t=41, "9-in-3600s";r=7;t=1400',
    }


def test_quotas_are_told_in_words() -> None:
    assert str(Quota(1, 1)) == "1 request in 1 second"
    assert str(MINUTE) == "120 requests in 60 seconds"


def test_after_waiting_the_library_lets_one_through_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000.0
    monkeypatch.setattr("limits.aio.storage.memory.time.time", lambda: now)
    generator = random.Random(5)
    waited = 0

    async def play() -> None:
        nonlocal now, waited
        for amount, seconds in ((1, 1), (5, 60), (7, 10), (40, 60), (100, 3600)):
            storage: Any = MemoryStorage()
            limiter, item, quota = (
                SlidingWindowCounterRateLimiter(storage),
                parse(f"{amount}/{seconds} second"),
                Quota(amount, seconds),
            )
            for _ in range(150):
                now += generator.random() * generator.choice((0.01, 0.5)) * seconds
                before = Count(quota, *await storage.get_sliding_window(item.key_for("me"), seconds))
                assert (await limiter.hit(item, "me")) is (before.remaining > 0)
                count = Count(quota, *await storage.get_sliding_window(item.key_for("me"), seconds))
                if count.remaining == 0:
                    waited += 1
                    now += max(0.0, count.wait - 1.001)
                    assert not await limiter.test(item, "me"), count
                    now += 1.001
                    assert await limiter.test(item, "me"), count
            if storage.timer is not None:
                await storage.timer

    asyncio.run(play())
    assert waited >= 50
