"""Is it this machine that asks, and nobody through it?

Without a password only a person at the machine itself may use the records. Three things can bring in somebody else
although the service listens on loopback: a server that was bound elsewhere than the settings say, a proxy on this
machine, and DNS rebinding, where a page of another site gives its own name the address 127.0.0.1 and so counts as of
the same origin. Hence the connection's two ends, the `Host`, and the traces of proxies are all looked at.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

__all__ = ["is_loopback", "why_not_local"]

_HOST: Final = r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
_LOOPBACK_HOST: Final = re.compile(_HOST, re.IGNORECASE)
_LOOPBACK_ORIGIN: Final = re.compile("https?://" + _HOST, re.IGNORECASE)
_PROXY_HEADERS: Final = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
)


def is_loopback(address: str) -> bool:
    """Say whether an address can be reached from the machine itself only.

    Args:
        address: An IPv4 or IPv6 address, or `localhost`. Any other name counts as reachable from elsewhere, since what
            it stands for can change.
    """
    if address.lower() == "localhost":
        return True
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None  # ::ffff:127.0.0.1, of a dual socket
    return (mapped or ip).is_loopback


def why_not_local(scope: Scope) -> str | None:
    """Say why a request cannot be taken for one of this machine's own user.

    Args:
        scope: The request's ASGI scope.

    Returns:
        A sentence, or None if the request is from this machine.
    """
    headers = Headers(scope=scope)
    if not _ends_are_loopback(scope):
        return "It did not come from the machine that the service runs on."
    # uvicorn lets trusted proxies rewrite the client's address, so these headers are believed only where they speak
    # against a request. HTTP/1.0 is what nginx speaks to its backends unless told otherwise, and no browser does.
    if scope.get("http_version") == "1.0" or any(name in headers for name in _PROXY_HEADERS):
        return "It came through a proxy."
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _LOOPBACK_HOST.fullmatch(hosts[0]):
        return "Its header `Host` does not name localhost, 127.0.0.1 or [::1]."
    origin = headers.get("origin")
    if origin is not None and not _LOOPBACK_ORIGIN.fullmatch(origin):
        return "Its header `Origin` does not name localhost, 127.0.0.1 or [::1]."
    return None


def _ends_are_loopback(scope: Scope) -> bool:
    # A server without these, as behind a Unix socket, has a proxy before it.
    ends = (scope.get("server"), scope.get("client"))
    return all(end is not None and is_loopback(str(end[0])) for end in ends)
