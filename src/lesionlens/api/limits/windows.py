"""What is left of a limit, and when there is more: the arithmetic of the sliding window counter.

Requests are counted in windows that follow each other, and the last window counts by the share of it that lies within
one window's length from now: `previous · ttl / window + current` must stay below the limit. Two numbers a client are
all that is kept, whatever the limit (https://blog.cloudflare.com/counting-things-a-lot-of-different-things/).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Count", "Quota"]


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit.

    Attributes:
        amount: Requests within a window, at least 1.
        seconds: Length of the window, at least 1.
    """

    amount: int
    seconds: int

    @property
    def name(self) -> str:
        """What headers call it, such as `120-in-60s`."""
        return f"{self.amount}-in-{self.seconds}s"

    def __str__(self) -> str:
        """Return it for a sentence, such as `120 requests in 60 seconds`."""
        requests = "request" if self.amount == 1 else "requests"
        return f"{self.amount} {requests} in {self.seconds} second{'' if self.seconds == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Count:
    """What a client has used of a quota.

    Attributes:
        quota: Of which.
        previous: Requests of the window before.
        previous_ttl: Seconds for which these still count for something, 0–`quota.seconds`.
        current: Requests of the window of now.
        current_ttl: Seconds until the window of now is forgotten, 0–2 · `quota.seconds`; 0 if it has not begun.
    """

    quota: Quota
    previous: int
    previous_ttl: float
    current: int
    current_ttl: float

    @property
    def remaining(self) -> int:
        """Requests that would be let through now."""
        used = self.previous * self.previous_ttl / self.quota.seconds + self.current
        return max(0, self.quota.amount - math.floor(used))

    @property
    def reset(self) -> int:
        """Whole seconds, rounded up, until the window of now ends; until there is more if nothing remains."""
        if self.remaining == 0:
            return self.wait
        return max(0, math.ceil(self.current_ttl - self.quota.seconds))

    @property
    def wait(self) -> int:
        """Whole seconds after which a request would be let through; 0 if one would be now.

        With `a` requests allowed, `p` and `c` counted and a window of `w` seconds, one is let through as soon as
        `p · ttl / w < a - c`; if `c` alone is too many, the window must end first, after which `c` takes `p`'s place.
        """
        if self.remaining > 0:
            return 0
        amount, window = self.quota.amount, self.quota.seconds
        if self.current < amount:
            waiting = self.previous_ttl - (amount - self.current) * window / self.previous
        else:
            waiting = self.current_ttl - window + max(0.0, window - amount * window / self.current)
        return math.floor(max(0.0, waiting)) + 1  # at the very moment itself it is not yet below
