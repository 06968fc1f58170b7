"""Types of the settings that bound how often a client may ask, with what each accepts."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

__all__ = ["RateLimits", "StorageUrl"]

_HOSTED: Final = ("redis", "rediss")
_LOCAL: Final = "redis+unix"


def _check_limits(text: str) -> str:
    if not text.strip():
        return ""
    from limits import parse_many  # takes a while to import, and most services set no limit

    limits = parse_many(text)  # raises ValueError
    windows = [limit.get_expiry() for limit in limits]
    if any(limit.amount < 1 for limit in limits):
        raise ValueError("a limit of nothing")
    if len(set(windows)) < len(windows):
        raise ValueError("two limits for one time")
    return text


def _check_storage(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise ValueError("is no URL") from None  # the error's own words would show a part of it
    if scheme == "memory":
        return url
    if scheme == _LOCAL:
        if not parts.path:
            raise ValueError("names no socket")
    elif scheme not in _HOSTED:
        raise ValueError("has a scheme that is not accepted")
    elif not host or port == 0:
        raise ValueError("names no host")
    elif parts.path.strip("/") and not parts.path.strip("/").isdecimal():
        raise ValueError("has a path that is no database number")
    return url


RateLimits = Annotated[str, AfterValidator(_check_limits)]
"""Limits such as `120/minute;2000/hour`, in the words of the package `limits`; empty for none."""
StorageUrl = Annotated[SecretStr, AfterValidator(_check_storage)]
"""Where requests are counted. It may hold a password, so it is never shown."""
