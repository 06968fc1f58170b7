"""May the tracker run with these settings?"""

from __future__ import annotations

from typing import Final

from lesionlens.api.access.audit_file import AuditFile
from lesionlens.api.access.key_file import read_key_file
from lesionlens.api.access.loopback import is_loopback
from lesionlens.errors import SettingsError
from lesionlens.settings import Settings, variable_name

__all__ = [
    "HOW_TO_PROTECT",
    "check_settings",
    "describe_protection",
    "has_keys",
    "has_password",
    "is_protected",
    "why_off",
]

HOW_TO_PROTECT: Final = (
    "set LESIONLENS_PASSWORD_HASH (`lesionlens password` makes one), LESIONLENS_PASSWORD, LESIONLENS_API_KEYS or "
    "LESIONLENS_API_KEYS_FILE"
)
"""What to set, to continue a sentence."""


def has_password(settings: Settings) -> bool:
    """Say whether one can log in."""
    return settings.password is not None or settings.password_hash is not None


def has_keys(settings: Settings) -> bool:
    """Say whether there may be API keys; a file of them counts whatever it holds, so an empty one opens nothing."""
    return bool(settings.api_keys) or settings.api_keys_file is not None


def is_protected(settings: Settings) -> bool:
    """Say whether a password or an API key is set, without which nobody gets in then."""
    return has_password(settings) or has_keys(settings)


def describe_protection(settings: Settings) -> str:
    """Say what guards the records, in a few words, such as "protected by a password and 2 API keys"."""
    guards = ["a password"] if has_password(settings) else []
    if count := len(settings.api_keys):
        guards.append(f"{count} API key{'' if count == 1 else 's'}")
    if settings.api_keys_file is not None:
        guards.append(f"the API keys in {settings.api_keys_file}")
    return f"protected by {' and '.join(guards)}" if guards else "without a password, for this machine only"


def why_off(settings: Settings) -> str | None:
    """Say why the tracker is off with these settings, and what to do about it.

    Args:
        settings: The service's.

    Returns:
        Sentences for anybody, or None if it may run.

    Raises:
        SettingsError: It was demanded where it would lie open to others.
    """
    if settings.tracker == "off":
        return "It was turned off: LESIONLENS_TRACKER is off."
    if is_loopback(settings.host) or is_protected(settings):
        return None
    if settings.tracker == "on":
        raise SettingsError(
            f"LESIONLENS_TRACKER is on, but the service listens on {settings.host}, where others could read the "
            f"records; {HOW_TO_PROTECT}, or listen on 127.0.0.1"
        )
    return f"The service can be reached from other machines and has no password; {HOW_TO_PROTECT}."


def check_settings(settings: Settings) -> None:
    """Look for settings that contradict each other or name what is not there, before the service starts.

    Args:
        settings: The service's.

    Raises:
        SettingsError: The tracker was demanded where it would lie open to others, or nobody could use `/predict` or
            `/metrics`; or the file of API keys is damaged, the audit log cannot be written, or the client of Redis is
            not installed.
    """
    why_off(settings)
    for name in ("protect_predict", "protect_metrics"):
        if getattr(settings, name) and not is_protected(settings) and not is_loopback(settings.host):
            raise SettingsError(
                f"{variable_name(name)} is on, but the service listens on {settings.host} and nobody could log in; "
                f"{HOW_TO_PROTECT}"
            )
    if settings.api_keys_file is not None:
        read_key_file(settings.api_keys_file)
    if settings.audit_log is not None:
        AuditFile(settings.audit_log).close()
    if settings.rate_limit and settings.rate_limit_storage is not None:
        from lesionlens.api.limits.storage import counts_in  # not above: the limits build upon the access control

        counts_in(settings.rate_limit_storage.get_secret_value())
