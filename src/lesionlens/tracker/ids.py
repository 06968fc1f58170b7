"""Identifiers of records, and the form of the hashes that name photos and models."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from typing import Final

__all__ = ["HASH_PATTERN", "ID_PATTERN", "is_hash", "is_id", "new_id"]

ID_PATTERN: Final = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
"""Form of an identifier, as a regular expression for JSON Schema."""
HASH_PATTERN: Final = "^[0-9a-f]{64}$"
"""Form of a SHA-256, likewise."""
_FORM: Final = re.compile(ID_PATTERN)
_HASH: Final = re.compile(HASH_PATTERN)


def new_id() -> str:
    """Return a new UUID of version 7 (RFC 9562, section 5.7), as text in its usual lower-case form.

    Version 7 rather than 4: it begins with the time in milliseconds, so new rows land at the end of a database's index
    instead of all over it, and records sort by when they were made. The other 74 bits are random: two machines that are
    not connected never make the same one, so records can be moved between them as they are, and none can be guessed.
    """
    bits = (
        (time.time_ns() // 1_000_000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    )
    return str(uuid.UUID(int=bits))


def is_id(text: str) -> bool:
    """Say whether a text has the form of an identifier (lower-case UUID of any version)."""
    return _FORM.fullmatch(text) is not None


def is_hash(text: str) -> bool:
    """Say whether a text has the form of a SHA-256 in lower-case hexadecimal."""
    return _HASH.fullmatch(text) is not None
