"""API keys: made here, told once, and known by their hash only.

A key is 256 random bits, so nobody can find it by trying, however quick each try is: a plain SHA-256 protects it as
well as a slow password hash would, and does not slow down every request of a program.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final, TypeVar

__all__ = ["find_key", "hash_key", "new_key"]

T = TypeVar("T")

_PREFIX: Final = "lesionlens_"  # so that those who search for leaked keys can tell what they found
_RANDOM_BYTES: Final = 32


def new_key() -> str:
    """Return a new key: `lesionlens_` and 43 characters of URL-safe base64."""
    return _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def hash_key(key: str) -> str:
    """Return the SHA-256 of a key in lower-case hexadecimal, as settings hold it."""
    return hashlib.sha256(key.encode()).hexdigest()


def find_key(given: str, known: Iterable[tuple[T, str]]) -> T | None:
    """Return what a key is known as, or None if it is not known.

    The time that it takes does not depend on how much of a hash agrees, nor on which key it is.

    Args:
        given: What somebody sent.
        known: What each key is known as, such as its name, and its hash; of several with one hash the first counts.
    """
    digest = hash_key(given)
    found = [what for what, expected in known if hmac.compare_digest(digest, expected)]
    return found[0] if found else None
