"""What costly routes depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request

from lesionlens.api.access import access_of
from lesionlens.api.access.network import network_of
from lesionlens.api.problems import RATE_LIMITED, RequestError

if TYPE_CHECKING:
    from lesionlens.api.limits.limiter import RateLimiter

__all__ = ["limit_rate"]


async def limit_rate(request: Request) -> None:
    """Count a request, and let it pass if its client has not sent too many; a dependency of costly routes.

    A request with a good API key counts for the key, whoever uses it and from wherever; any other for its address,
    which the server takes from `X-Forwarded-For` only where it trusts the proxy.

    Raises:
        RequestError: It has (`rate-limited`, with the header `Retry-After`).
    """
    limiter: RateLimiter | None = request.app.state.lesionlens.limiter
    if limiter is None:
        return
    key = access_of(request).key_of(request)
    if key is not None and key.ended is None:
        verdict = await limiter.hit("key", key.name)
        who = f"The API key {key.name!r}"
    else:
        verdict = await limiter.hit("address", network_of(request.client.host if request.client else ""))
        who = "This address"
    request.state.rate_limits = verdict.counts
    if verdict.exceeded is not None:
        seconds = verdict.retry_after
        raise RequestError(
            RATE_LIMITED,
            f"{who} has sent too many requests: accepted are {verdict.exceeded}. Try again in {seconds} "
            f"second{'' if seconds == 1 else 's'}.",
            headers={"Retry-After": str(seconds)},
        )
