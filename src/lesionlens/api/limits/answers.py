"""Tells a client what is left of its limits: the headers of draft-ietf-httpapi-ratelimit-headers-09.

    RateLimit-Policy: "120-in-60s";q=120;w=60, "2000-in-3600s";q=2000;w=3600
    RateLimit: "120-in-60s";r=117;t=42, "2000-in-3600s";r=1803;t=2201

`q` is the quota and `w` its window in seconds; `r` is what remains, and `t` the seconds until there is more. That draft
and not one of the older ones with `RateLimit-Limit` and `RateLimit-Remaining`, which can tell of one limit only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lesionlens.api.limits.windows import Count

__all__ = ["POLICY", "STATE", "RateLimitHeaders", "headers_of"]

POLICY: Final = "RateLimit-Policy"
"""Header that names the limits."""
STATE: Final = "RateLimit"
"""Header that says what is left of them."""


def headers_of(counts: Iterable[Count]) -> dict[str, str]:
    """Return both headers.

    Args:
        counts: What a client has used of its quotas.
    """
    counts = tuple(counts)
    return {
        POLICY: ", ".join(f'"{c.quota.name}";q={c.quota.amount};w={c.quota.seconds}' for c in counts),
        STATE: ", ".join(f'"{c.quota.name}";r={c.remaining};t={c.reset}' for c in counts),
    }


class RateLimitHeaders:
    """Middleware that adds the headers to the answer, whatever it is.

    A route's dependency cannot: the framework drops its headers where the route returns a whole answer, or fails.

    Args:
        app: What answers. For a request that was counted it leaves the counts in the request's state, as `rate_limits`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def respond(message: Message) -> None:
            counts = scope.get("state", {}).get("rate_limits")
            if message["type"] == "http.response.start" and counts:
                MutableHeaders(scope=message).update(headers_of(counts))
            await send(message)

        await self._app(scope, receive, respond)
