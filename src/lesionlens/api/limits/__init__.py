"""How often a client may ask for what is costly: counted by API key or address, here or in Redis.

Nothing of this is loaded into a request's way where `LESIONLENS_RATE_LIMIT` is not set.
"""

from __future__ import annotations

from lesionlens.api.limits.answers import RateLimitHeaders
from lesionlens.api.limits.limiter import RateLimiter
from lesionlens.api.limits.require import limit_rate

__all__ = ["RateLimitHeaders", "RateLimiter", "limit_rate"]
