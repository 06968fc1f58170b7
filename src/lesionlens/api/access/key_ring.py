"""The API keys that a running service knows: those of its settings, and those of a file that may change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from lesionlens.api.access.key_file import read_key_file
from lesionlens.api.access.keys import find_key
from lesionlens.api.access.scopes import ALL_SCOPES, Scope
from lesionlens.errors import SettingsError

__all__ = ["KeyRing", "KnownKey"]

_logger = structlog.stdlib.get_logger("lesionlens.access")
_Signature = tuple[int, int, int, int]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that somebody has shown.

    Attributes:
        name: What it is called.
        scopes: What it may do.
        ended: When its time ended; None as long as it is good.
    """

    name: str
    scopes: frozenset[Scope]
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    scopes: frozenset[Scope]
    expires: datetime | None = None


class KeyRing:
    """Finds keys. It belongs to one event loop, so it needs no lock.

    Whenever the file is another than before, it is read again. One that cannot be read, or is damaged, or has vanished
    changes nothing: the keys of before stay, neither more nor fewer, and the log says so once.

    Args:
        fixed: Names and hashes of keys that may do everything and never end.
        path: File of further keys; None for none.
        clock: Says what time it is.

    Raises:
        SettingsError: The file cannot be read, or is damaged; the message names the file and the line.
    """

    def __init__(
        self, fixed: Iterable[tuple[str, str]], path: Path | None = None, clock: Callable[[], datetime] = _now
    ) -> None:
        self._fixed = tuple((_Kept(name, ALL_SCOPES), digest) for name, digest in fixed)
        self._path = path
        self._clock = clock
        self._of_file: tuple[tuple[_Kept, str], ...] = ()
        self._seen: _Signature | None = None
        if path is not None:
            # Looked at before it is read, so that what is written meanwhile is noticed at the next look.
            self._seen = _signature(path)
            self._of_file = _load(path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._fixed)} of the settings, {len(self._of_file)} of {self._path})"

    def find(self, given: str) -> KnownKey | None:
        """Return what is known of a key; None if nothing is.

        The time that it takes does not depend on how much of a hash agrees.

        Args:
            given: What somebody sent.
        """
        self._refresh()
        # Those of the file first: they may be narrower than the same key in the environment.
        kept = find_key(given, (*self._of_file, *self._fixed))
        if kept is None:
            return None
        ended = kept.expires if kept.expires is not None and kept.expires <= self._clock() else None
        return KnownKey(kept.name, kept.scopes, ended)

    def _refresh(self) -> None:
        if self._path is None:
            return
        signature = _signature(self._path)
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._of_file = _load(self._path)
        except SettingsError as error:
            _logger.error("the file of API keys cannot be used; the keys of before stay", reason=str(error))
        else:
            _logger.info("API keys read again", keys=len(self._of_file))


def _load(path: Path) -> tuple[tuple[_Kept, str], ...]:
    return tuple((_Kept(entry.name, entry.rights, entry.expires), entry.sha256) for entry in read_key_file(path))


def _signature(path: Path) -> _Signature | None:
    """Return what is different when the file is another, or was written to; None if it is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116 – the one system call that each request with a key costs
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size
