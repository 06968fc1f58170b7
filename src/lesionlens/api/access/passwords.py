"""Passwords: hashed by argon2id, and checked without letting anybody keep the processor busy.

The cost is that of RFC 9106's second recommendation (64 MiB, 3 passes), with one lane, since a server checks for many.
"""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import argon2
from argon2.exceptions import VerificationError, VerifyMismatchError

from lesionlens.access_settings import LONGEST_PASSWORD
from lesionlens.errors import SettingsError

__all__ = ["Password", "check_hash", "hash_password"]

_AT_ONCE: Final = 2
_hasher: Final = argon2.PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1, type=argon2.Type.ID)


def hash_password(password: str) -> str:
    """Hash a password with a new salt.

    Args:
        password: 8–1024 characters.

    Returns:
        The hash with its parameters in the PHC string format, `$argon2id$v=19$…`.
    """
    return _hasher.hash(_normalise(password))


def check_hash(encoded: str) -> None:
    """Compare a password with a hash once, since only this shows whether its parameters and its base64 are usable.

    Args:
        encoded: An argon2id hash in the PHC string format.

    Raises:
        SettingsError: Nobody could ever log in with it, such as one that wants more memory than there is.
    """
    try:
        _hasher.verify(encoded, "")
    except VerifyMismatchError:
        pass
    except VerificationError as error:
        raise SettingsError(
            f"LESIONLENS_PASSWORD_HASH cannot be computed here ({error}); make another with `lesionlens password`"
        ) from error


class Password:
    """The password of a service, known by its hash only.

    Args:
        encoded: An argon2id hash in the PHC string format.
    """

    def __init__(self, encoded: str) -> None:
        self._encoded = encoded
        # A pool of its own, for the memory that a check takes too: 64 MiB each.
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="password")

    async def matches(self, given: str) -> bool:
        """Compare, in constant time and in another thread; at most two comparisons run at once and others wait.

        Args:
            given: What somebody sent. More than 1024 characters never match and are not hashed.
        """
        if not 1 <= len(given) <= LONGEST_PASSWORD:
            return False
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._verify, given)

    def _verify(self, given: str) -> bool:
        try:
            return _hasher.verify(self._encoded, _normalise(given))
        except (VerifyMismatchError, UnicodeEncodeError):  # half a surrogate pair is no password
            return False


def _normalise(password: str) -> str:
    # The same letter may arrive as one code point or as two, depending on the keyboard (RFC 8265, section 4.2).
    return unicodedata.normalize("NFC", password)
