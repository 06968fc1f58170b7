"""Counts requests and says who has sent too many."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter

from lesionlens.api.limits.storage import MemoryCounts, counts_in
from lesionlens.api.limits.windows import Count, Quota
from lesionlens.settings import Settings

__all__ = ["RateLimiter", "Verdict"]

_PATIENCE: Final = 0.25  # seconds for all that a request asks of Redis: waiting is worse than counting elsewhere
_AGAIN: Final = 5.0  # seconds after a failure until Redis is asked again, so that not every request waits in vain
_WARN_EVERY: Final = 60.0
_logger = structlog.stdlib.get_logger("lesionlens.limits")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may go on.

    Attributes:
        counts: What its client has used of each quota, this request included; the shortest window first.
        exceeded: The quota that is used up; None if the request may go on.
        retry_after: Whole seconds after which a request would be let through; 0 if this one is.
    """

    counts: tuple[Count, ...]
    exceeded: Quota | None = None
    retry_after: int = 0


class RateLimiter:
    """The limits of one app, by the sliding window counter of the package `limits`. It belongs to one event loop.

    Where Redis cannot be reached the requests are counted in the memory of this process, so the service goes on, with
    a limit of its own for each process, and asks Redis again after some seconds.

    Args:
        settings: The service's, with `rate_limit` set.
        registry: Where it counts what it does.
        clock: Seconds that only go up.

    Attributes:
        quotas: The limits, the shortest window first.

    Raises:
        SettingsError: The counts are to be in Redis, and its client is not installed.
    """

    def __init__(
        self, settings: Settings, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        from limits import parse_many
        from limits.aio.strategies import SlidingWindowCounterRateLimiter

        # A request that the short window refuses then does not count for the long one.
        self._items = sorted(parse_many(settings.rate_limit), key=lambda item: item.get_expiry())
        self.quotas = tuple(Quota(item.amount, item.get_expiry()) for item in self._items)
        url = settings.rate_limit_storage.get_secret_value() if settings.rate_limit_storage else "memory://"
        self._memory = MemoryCounts()
        self._redis = counts_in(url)
        if self._redis is None and settings.workers > 1:
            _logger.warning(
                "each worker counts requests by itself, so a client has a budget in each; name a Redis that they share",
                variable="LESIONLENS_RATE_LIMIT_STORAGE",
            )
        self._strategy = SlidingWindowCounterRateLimiter
        self._clock = clock
        self._down_until: float | None = None
        self._warned = -_WARN_EVERY
        self._limited = Counter(
            "lesionlens_rate_limited", "Requests beyond the rate limit, by what is counted", ["by"], registry=registry
        )
        for by in ("key", "address"):  # a counter that is there at 0 can be alarmed on
            self._limited.labels(by)
        self._failures = Counter(
            "lesionlens_rate_limit_storage_failures",
            "Requests counted in memory because Redis did not answer",
            registry=registry,
        )

    async def hit(self, by: str, client: str) -> Verdict:
        """Count a request.

        Args:
            by: What is counted: `key` or `address`.
            client: The key's name, or the network of the address.
        """
        verdict = await self._count(by, client)
        if verdict.exceeded is not None:
            self._limited.labels(by).inc()
        return verdict

    async def close(self) -> None:
        """Close the connections to Redis; they are opened again when they are needed."""
        await self._memory.close()
        if self._redis is not None:
            await self._redis.close()

    async def _count(self, *client: str) -> Verdict:
        from limits.errors import StorageError

        if self._redis is not None and (self._down_until is None or self._clock() >= self._down_until):
            try:
                async with asyncio.timeout(_PATIENCE):
                    verdict = await self._ask(self._redis.storage, client)
            except (StorageError, OSError) as error:  # TimeoutError is an OSError
                self._redis_failed(error)
            else:
                if self._down_until is not None:
                    _logger.info("Redis answers again; requests are counted there")
                    self._down_until = None
                return verdict
        if self._redis is not None:
            self._failures.inc()
        await self._memory.make_room()
        return await self._ask(self._memory.storage, client)

    async def _ask(self, storage: Any, client: tuple[str, ...]) -> Verdict:
        strategy = self._strategy(storage)
        counts: list[Count] = []
        for item, quota in zip(self._items, self.quotas, strict=True):
            let_through = await strategy.hit(item, *client)
            window = await storage.get_sliding_window(item.key_for(*client), item.get_expiry())
            counts.append(Count(quota, *window))
            if not let_through:
                return Verdict(tuple(counts), quota, max(1, counts[-1].wait))
        return Verdict(tuple(counts))

    def _redis_failed(self, error: Exception) -> None:
        now = self._clock()
        self._down_until = now + _AGAIN
        if now - self._warned >= _WARN_EVERY:
            self._warned = now
            cause = error.__cause__ or error  # never the URL: it may hold a password
            _logger.warning(
                "Redis does not answer; each process counts requests by itself meanwhile", reason=type(cause).__name__
            )
