"""Checksums, free space, and a partly downloaded file."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lesionlens.datasets.progress import Progress, silent
from lesionlens.errors import DataError

__all__ = ["Digests", "PartialFile", "file_digests", "require_space"]

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Digests:
    """What identifies a file's bytes.

    Attributes:
        size: Size in bytes.
        sha256: SHA-256, lower-case hexadecimal.
        md5: MD5, lower-case hexadecimal; published checksums are often in it.
    """

    size: int
    sha256: str
    md5: str


def file_digests(path: Path, progress: Progress = silent, step: str = "verifying") -> Digests:
    """Read a file once and return its size and checksums.

    Args:
        path: The file.
        progress: Told the bytes that were read.
        step: What `progress` is told is being done.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    total, done = path.stat().st_size, 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
            md5.update(chunk)
            done += len(chunk)
            progress(step, done, total)
    return Digests(done, sha256.hexdigest(), md5.hexdigest())


def require_space(folder: Path, needed: int) -> None:
    """Check that a disk has room.

    Args:
        folder: An existing folder on the disk.
        needed: Bytes about to be written.

    Raises:
        DataError: Fewer bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DataError(f"{folder} has {free / 1e9:.1f} GB free, but {needed / 1e9:.1f} GB more are needed")


class PartialFile:
    """The bytes of a file that have arrived, and what tells whether the server still has the same file.

    Args:
        target: The path that the file gets once it is whole.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._target = target
        self._note = target.with_name(f"{target.name}.part.validator")

    @property
    def size(self) -> int:
        """Number of bytes that have arrived."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def validator(self) -> str | None:
        """The strong ETag or the date of the file that the bytes belong to; None if nothing can be resumed."""
        return self._note.read_text(encoding="ascii") if self.size and self._note.is_file() else None

    def remember(self, etag: str, last_modified: str) -> None:
        """Keep what identifies the file on the server (HTTP header values; empty if absent)."""
        # A weak ETag promises the same meaning, not the same bytes, so it cannot vouch for a resumed file.
        validator = etag if etag.startswith('"') else last_modified
        self._note.unlink(missing_ok=True)
        if validator and validator.isascii():
            self._note.write_text(validator, encoding="ascii")

    def discard(self) -> None:
        """Delete what has arrived."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def promote(self) -> None:
        """Give the whole file its name."""
        self.path.replace(self._target)
        self._note.unlink(missing_ok=True)
