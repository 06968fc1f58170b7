"""How often somebody may guess a password.

Token buckets (https://en.wikipedia.org/wiki/Token_bucket): each failed attempt takes a token, tokens come back with
time, and without one no password is looked at. One bucket for each address, and one for all together against those who
have many addresses.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lesionlens.api.access.network import network_of

__all__ = ["Attempts", "Limit"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How many attempts may fail.

    Attributes:
        burst: How many one after the other, at least 1.
        seconds: After how long there is one more.
    """

    burst: int
    seconds: float


PER_ADDRESS: Final = Limit(burst=10, seconds=60)
OVERALL: Final = Limit(burst=100, seconds=6)


class _Bucket:
    """Tokens, counted by when they are all back: a full bucket is one whose time is past."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._full_at = -math.inf

    def wait(self, now: float) -> float:
        """Seconds until there is a token; 0 if there is one."""
        missing = max(0.0, self._full_at - now) / self._limit.seconds
        return max(0.0, missing - (self._limit.burst - 1)) * self._limit.seconds

    def take(self, now: float) -> None:
        self._full_at = max(self._full_at, now) + self._limit.seconds

    def put_back(self) -> None:
        self._full_at -= self._limit.seconds

    def is_full(self, now: float) -> bool:
        return self._full_at <= now


class Attempts:
    """Counts failed attempts, in the memory of this process. It belongs to one event loop, so it needs no lock.

    Args:
        per_address: How many may fail from one address.
        overall: How many may fail from all addresses together. It also bounds how many addresses are remembered, and
            how much time is spent on hashing what strangers send.
        clock: Seconds that only go up.
    """

    def __init__(
        self,
        per_address: Limit = PER_ADDRESS,
        overall: Limit = OVERALL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_address = per_address
        self._overall = _Bucket(overall)
        self._addresses: dict[str, _Bucket] = {}
        self._clock = clock

    def begin(self, address: str) -> int:
        """Count an attempt as failed, before it is known, so that many at once cannot outrun the count.

        Args:
            address: Of the client. Addresses of one IPv6 network (/64) count as one: a single customer has them all.

        Returns:
            0 if it may go on; else the whole seconds to wait, and the attempt does not count.
        """
        now = self._clock()
        self._addresses = {name: bucket for name, bucket in self._addresses.items() if not bucket.is_full(now)}
        bucket = self._addresses.get(network_of(address)) or _Bucket(self._per_address)
        wait = max(bucket.wait(now), self._overall.wait(now))
        if wait > 0:
            return math.ceil(wait)
        bucket.take(now)
        self._overall.take(now)
        self._addresses[network_of(address)] = bucket
        return 0

    def succeeded(self, address: str) -> None:
        """Take back the count of an attempt that `begin` let through."""
        self._overall.put_back()
        if bucket := self._addresses.get(network_of(address)):
            bucket.put_back()
