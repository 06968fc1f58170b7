"""The key that signs the cookies of sessions."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

import structlog

from lesionlens.errors import StoreError
from lesionlens.settings import Settings
from lesionlens.tracker.photos import make_private_folder, sync_folder
from lesionlens.tracker.settings import load_tracker_settings

__all__ = ["KEY_FILE", "load_signing_key"]

KEY_FILE: Final = "session.key"
"""Where the key lies in the tracker's data folder."""

_KEY_BYTES: Final = 32
_logger = structlog.stdlib.get_logger("lesionlens.access")


def load_signing_key(settings: Settings) -> bytes:
    """Return the key that the settings give, else the one in the data folder, which is made at first.

    Where the tracker is turned off nothing is written to the disk, so the key lasts as long as the process.

    Args:
        settings: The service's.

    Returns:
        At least 32 bytes.

    Raises:
        SettingsError: There is no data folder.
        StoreError: The key can be neither read nor made.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    if settings.tracker == "off":
        return secrets.token_bytes(_KEY_BYTES)
    path = load_tracker_settings().data_dir / KEY_FILE
    try:
        try:
            return _read(path)
        except FileNotFoundError:
            _make(path)
            return _read(path)  # perhaps that of another process, which was quicker
    except OSError as error:
        raise StoreError(
            f"the key that signs sessions cannot be kept in {path}: {error.strerror or error}; make the folder "
            "writable, or set LESIONLENS_SECRET_KEY"
        ) from error


def _read(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise StoreError(f"{path} does not hold a key of {_KEY_BYTES} bytes; remove it, and everybody logs in again")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        # A copy put back from a backup, say. Whoever has read the key can make cookies, so this is worth a line.
        path.chmod(0o600)
        _logger.warning("others could read the key that signs sessions; remove it if they may have", path=str(path))
    return key


def _make(path: Path) -> None:
    """Write a new key unless there is one; of several processes that do so at once, all use the first one's."""
    make_private_folder(path.parent)
    temporary = path.with_name(f"{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  # `Path.open` cannot set who may read the file
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link appears with the whole key in it and never replaces another, which no way of writing a file offers.
        path.hardlink_to(temporary)
        sync_folder(path.parent)
    except FileExistsError:
        return
    finally:
        temporary.unlink(missing_ok=True)
