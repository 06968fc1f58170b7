"""Sessions: signed, dated tokens that browsers keep in a cookie. The service keeps none of them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

from itsdangerous import BadSignature, TimestampSigner

__all__ = ["Sessions", "sign_of"]

_PURPOSE: Final = b"lesionlens session"
_ID_BYTES: Final = 16


def sign_of(token: str) -> str:
    """Return eight characters by which a log can tell the requests of a session from others'.

    They are of a hash, so nobody can make a session of them.

    Args:
        token: Of a session.
    """
    return hashlib.sha256(token.encode()).hexdigest()[:8]


class Sessions:
    """Makes the tokens of sessions and checks them.

    A token is a random id, the time at which it was made, and an HMAC-SHA-256 of both. Its key is derived from the
    signing key and from the password's hash, so a new password ends every session.

    Args:
        signing_key: At least 32 secret bytes, the same in all processes that take each other's tokens.
        password: What the password is known by; another one makes other tokens.
        lifetime: Seconds for which a token is good.
        clock: Seconds since 1970.
    """

    def __init__(
        self, signing_key: bytes, password: str, lifetime: float, clock: Callable[[], float] = time.time
    ) -> None:
        key = hmac.digest(signing_key, _PURPOSE + b"\0" + password.encode(), hashlib.sha256)
        self._signer = _Signer(key, clock)
        self._lifetime = int(lifetime)
        self._clock = clock
        self._ended: dict[str, float] = {}

    @property
    def lifetime(self) -> int:
        """Whole seconds for which a token is good."""
        return self._lifetime

    def begin(self) -> str:
        """Return the token of a new session: letters, digits, `-`, `_` and `.`."""
        return self._signer.sign(secrets.token_urlsafe(_ID_BYTES)).decode("ascii")

    def is_valid(self, token: str) -> bool:
        """Say whether a token was made here, is not too old, and has not been ended."""
        session = self._session(token)
        return session is not None and session not in self._ended

    def end(self, token: str) -> None:
        """End a session, so that a copy of its cookie is worth nothing; one that is not valid is left alone.

        This process remembers it until the token is too old; other replicas, and this one after a restart, do not.
        """
        session = self._session(token)
        if session is not None:
            now = self._clock()
            self._ended = {ended: until for ended, until in self._ended.items() if until > now}
            self._ended[session] = now + self._lifetime

    def _session(self, token: str) -> str | None:
        try:
            return self._signer.unsign(token, max_age=self._lifetime).decode("ascii")
        except BadSignature:  # changed, of another key, or too old
            return None


class _Signer(TimestampSigner):
    """itsdangerous's signer with SHA-256 instead of SHA-1, and a clock."""

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        super().__init__(key, salt=_PURPOSE, key_derivation="hmac", digest_method=hashlib.sha256)
        self._now = clock

    def get_timestamp(self) -> int:
        return int(self._now())
