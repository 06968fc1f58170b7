"""What every answer tells the browser that it may do, and mostly may not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from starlette.types import Scope

__all__ = ["security_headers"]

_ALWAYS: Final = (
    # The page needs its own files, pictures that it draws itself (blob:, data:) and the API; nothing from elsewhere.
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    # A browser asks nobody for a photo that it has in its cache, and over plain HTTP it does not say whose page embeds
    # one. So it is told to show them to the own page only. Scripts of other origins ask by CORS instead.
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
# For a year; of this host name only, since nothing is known of others. Browsers take it from HTTPS alone (RFC 6797,
# section 8.1), and where the service knows of none it would only mislead.
_HTTPS_ONLY: Final = ("Strict-Transport-Security", "max-age=31536000")


def security_headers(scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield the headers of an answer that does not set them itself.

    Args:
        scope: The request's ASGI scope. Its scheme is `https` where the server spoke TLS itself, or a trusted proxy
            (`FORWARDED_ALLOW_IPS`) says that it did.
    """
    yield from _ALWAYS
    if scope.get("scheme") == "https":
        yield _HTTPS_ONLY
