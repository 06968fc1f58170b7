"""Types of the settings that guard the records, with what each accepts.

None of their messages repeats a value: it may be a secret, or one in the wrong variable.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo
from pydantic_settings import NoDecode

__all__ = [
    "KEY_NAME",
    "LONGEST_PASSWORD",
    "SHORTEST_PASSWORD",
    "ApiKeyHashes",
    "PasswordHash",
    "PasswordText",
    "SecretKey",
    "check_new_password",
    "secret_setting",
]

SHORTEST_PASSWORD: Final = 8
"""Characters that a password has at least (NIST SP 800-63B-4, section 3.1.1.2, where guessing is limited)."""
LONGEST_PASSWORD: Final = 1024
"""Characters that a password has at most, so that hashing what strangers send stays cheap."""
KEY_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What the name of an API key may be."""

_SHORTEST_SECRET_KEY: Final = 32
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
# The PHC string format as argon2 writes it: salt and hash in base64 without padding.
_ARGON2ID: Final = re.compile(
    r"\$argon2id\$v=19\$m=\d{1,10},t=\d{1,10},p=\d{1,8}\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,172}"
)


def secret_setting(default: Any, description: str, accepted: str) -> Any:
    """Describe a setting whose value is never shown, neither in messages nor where settings are printed.

    Args:
        default: Its default.
        description: What it sets.
        accepted: Which values are accepted, in words.
    """
    extra: dict[str, Any] = {"accepted": accepted, "secret": True}
    return Field(default=default, description=description, json_schema_extra=extra, repr=False)


def check_new_password(password: str) -> None:
    """Accept a password that somebody chose.

    Args:
        password: As it was given.

    Raises:
        ValueError: It is not accepted; the message continues a sentence and does not show it.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise ValueError(f"has {len(password)} characters")
    if any("\ud800" <= character <= "\udfff" for character in password):  # how Python shows bytes that are no text
        raise ValueError("is not in UTF-8")


def _check_password(password: SecretStr) -> SecretStr:
    check_new_password(password.get_secret_value())
    return password


def _check_password_hash(encoded: SecretStr, info: ValidationInfo) -> SecretStr:
    text = encoded.get_secret_value()
    if info.data.get("password") is not None:
        raise ValueError("is set beside LESIONLENS_PASSWORD, and only one of them can count")
    if not text.startswith("$argon2id$"):
        raise ValueError(
            "does not begin with $argon2id$ (between double quotes a shell replaces the parts after each $)"
        )
    if not _ARGON2ID.fullmatch(text):
        raise ValueError("is no whole argon2id hash")
    return encoded


def _check_secret_key(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value().encode()) < _SHORTEST_SECRET_KEY:
        raise ValueError("is too short")
    return key


def _split_keys(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(tuple(pair.split("=", 1)) for pair in re.split(r"[\s,]+", value) if pair)


def _check_keys(keys: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    names = [name for name, _ in keys]
    if not all(KEY_NAME.fullmatch(name) for name in names):
        raise ValueError("has a name that is not accepted")
    if len(set(names)) < len(names):
        raise ValueError("has the same name twice")
    if not all(_SHA256.fullmatch(digest) for _, digest in keys):
        raise ValueError("has something that is not the hash of a key")
    return keys


PasswordText = Annotated[SecretStr, AfterValidator(_check_password)]
"""A password, 8–1024 characters."""
PasswordHash = Annotated[SecretStr, AfterValidator(_check_password_hash)]
"""An argon2id hash in the PHC string format, of a field that comes after `password`, which must not be set then."""
SecretKey = Annotated[SecretStr, AfterValidator(_check_secret_key)]
"""At least 32 bytes from which cookies are signed."""
ApiKeyHashes = Annotated[
    tuple[tuple[str, str], ...], NoDecode, BeforeValidator(_split_keys), AfterValidator(_check_keys)
]
"""Names of API keys, each with the SHA-256 of its key in lower-case hexadecimal."""
