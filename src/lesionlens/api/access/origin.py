"""Did a page of another site make the browser send this request?

A browser adds a session's cookie, and reaches a service on its own machine, on behalf of any page (cross-site request
forgery). It also says whose page asks: `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/), which no script can
set, and where that is missing, as on plain HTTP beyond loopback, `Origin`. A request with neither comes from no current
browser. The order is that of Go's `net/http.CrossOriginProtection`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

__all__ = ["is_cross_site"]

_OWN: Final = frozenset({"same-origin", "none"})  # none: typed, a bookmark, a download by hand
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def is_cross_site(headers: Headers) -> bool:
    """Say whether a browser sent a request for a page of another origin; another port or subdomain counts as another.

    Args:
        headers: Of the request.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OWN
    origin = headers.get("origin")
    return origin is not None and not _is_of(origin, headers.get("host", ""))


def _is_of(origin: str, host: str) -> bool:
    try:
        page = urlsplit(origin)
        own = urlsplit(f"{page.scheme}://{host}")  # the scheme of the page: a proxy may have ended its TLS
        default = _DEFAULT_PORTS.get(page.scheme)
        # "null", the origin of sandboxed frames and of files, has no host at all.
        return bool(page.hostname) and (page.hostname, page.port or default) == (own.hostname, own.port or default)
    except ValueError:  # no port number, or brackets that do not match
        return False
