"""How many clients there are at each moment of a load test."""

from __future__ import annotations

import math
from typing import Final, Literal, get_args

__all__ = ["PATTERNS", "Pattern", "clients_at"]

Pattern = Literal["steady", "ramp", "burst"]
PATTERNS: Final[tuple[Pattern, ...]] = get_args(Pattern)

_BURSTS: Final = 4
_BURST_SHARE: Final = 0.25  # of each period
_CALM_SHARE: Final = 0.1  # of the clients, between bursts


def clients_at(pattern: Pattern, moment: float, seconds: float, clients: int) -> int:
    """Return how many clients send at a moment.

    Args:
        pattern: `steady`: all of them throughout; `ramp`: from one to all, evenly; `burst`: a tenth of them, and four
            times all at once for a sixteenth of the test.
        moment: Seconds since the beginning.
        seconds: How long the test lasts.
        clients: The most there are, at least 1.

    Returns:
        1–`clients`; 0 before the beginning and from the end on.
    """
    if not 0 <= moment < seconds:
        return 0
    if pattern == "steady":
        return clients
    if pattern == "ramp":
        return min(clients, 1 + math.floor(clients * moment / seconds))
    period = seconds / _BURSTS
    # Each period ends with its burst, so that the test begins calm.
    bursting = moment % period >= period * (1 - _BURST_SHARE)
    return clients if bursting else max(1, round(clients * _CALM_SHARE))
