"""A file of lines that is only ever appended to, and may be moved away by log rotation at any time."""

from __future__ import annotations

import os
from pathlib import Path

from lesionlens.errors import SettingsError

__all__ = ["AuditFile"]


class AuditFile:
    """Appends lines to a file that is made for nobody but the service's user (mode 0600).

    Each line is one write at the end of the file, so lines of several processes do not mix. Before each, the file is
    opened again if there is another under its name, or none, as after log rotation. (The standard library's
    `WatchedFileHandler` does that too, but splits long lines and makes files that others can read.)

    Args:
        path: The file.

    Raises:
        SettingsError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        try:
            self._open()
        except OSError as error:
            raise SettingsError(
                f"LESIONLENS_AUDIT_LOG is {str(path)!r}, which cannot be written: {error.strerror or error}; accepted: "
                "a file in a folder that is there, which the service's user can write"
            ) from error

    def append(self, line: str) -> None:
        """Append a line.

        Args:
            line: Without its end.

        Raises:
            OSError: It cannot be written.
        """
        if not self._is_current():
            self.close()
            self._open()
        assert self._descriptor is not None  # noqa: S101 – narrows the type
        data = f"{line}\n".encode()
        written = os.write(self._descriptor, data)
        if written < len(data):  # a full disk takes what still fits
            raise OSError(f"{written} of {len(data)} bytes were written")

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(self._path, flags, 0o600)

    def _is_current(self) -> bool:
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False
