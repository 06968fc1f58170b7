"""Reading a ZIP that nobody vouches for."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from pathlib import PurePosixPath
from types import TracebackType
from typing import IO, Final, Self

from lesionlens.errors import ExchangeFileError

__all__ = ["ArchiveReader"]

MAX_ENTRIES: Final = 2_000_000
"""Most files in an archive; a million visits with a photo each are that many."""
MAX_RATIO: Final = 100
"""How many times larger than the archive its files may be together: photos shrink to no hundredth, bombs do."""
_RATIO_SLACK: Final = 16 * 1024 * 1024
_MAX_DIRECTORY: Final = 512 * 1024 * 1024
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1

# PKWARE, APPNOTE.TXT 6.3.10: the records at the end of a ZIP that say how long its directory is.
_END: Final = struct.Struct("<4sHHHHIIH")
_END_64_LOCATOR: Final = struct.Struct("<4sIQI")
_END_64: Final = struct.Struct("<4sQHHIIQQQQ")
_LONGEST_COMMENT: Final = 0xFFFF


class ArchiveReader:
    """The files of a ZIP, by name. Nothing is ever written under the names in it.

    Args:
        stream: A binary file that can be read and sought in.

    Raises:
        ExchangeFileError: It is no ZIP, a damaged one, or one that is made to do harm: too many files, files that
            unpack to far more than the archive holds, two of one name, or names that lead out of a folder.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        size = stream.seek(0, os.SEEK_END)
        _check_directory(stream, size)
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
            raise ExchangeFileError(
                f"the ZIP file is damaged or cut short ({error}); export or copy it again"
            ) from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        try:
            self._check(size)
        except BaseException:
            self._zip.close()
            raise

    @property
    def names(self) -> list[str]:
        """The names of all files, in order; folders are left out."""
        return sorted(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str, limit: int) -> bytes:
        """Read a file whole.

        Args:
            name: One of `names`.
            limit: Most bytes that it may have.

        Raises:
            ValueError: It is larger, or damaged.
        """
        entry = self._entries[name]
        too_large = f"it has more than {limit:,} bytes, which is more than such a file may have"
        if entry.file_size > limit:
            raise ValueError(too_large)
        try:
            with self._zip.open(entry) as file:
                data = file.read(limit + 1)  # what the directory says of the size need not be true
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise ValueError(f"it is damaged in the ZIP file ({error})") from error
        if len(data) > limit:
            raise ValueError(too_large)
        return data

    def close(self) -> None:
        """Let go of the archive; the stream stays open."""
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, size: int) -> None:
        unpacked = 0
        for entry in self._zip.infolist():
            name = entry.filename
            if _leads_out(name):
                raise ExchangeFileError(f"the ZIP file holds the name {name[:100]!r}, which leads out of its folder")
            if entry.is_dir():
                continue
            if name in self._entries:
                raise ExchangeFileError(f"the ZIP file holds two files named {name[:100]!r}; an export holds each once")
            if entry.compress_type not in _METHODS or entry.flag_bits & _ENCRYPTED:
                raise ExchangeFileError(
                    f"{name[:100]!r} in the ZIP file is encrypted, or compressed in a way that is not accepted; "
                    "accepted: stored or deflated files without a password"
                )
            self._entries[name] = entry
            unpacked += entry.file_size
        if unpacked > MAX_RATIO * size + _RATIO_SLACK:
            raise ExchangeFileError(
                f"the files in the ZIP file claim {unpacked:,} bytes, more than {MAX_RATIO} times the {size:,} bytes "
                "that it has itself; no export does, so it is not opened"
            )


def _leads_out(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or "\0" in name or ".." in PurePosixPath(name).parts


def _check_directory(stream: IO[bytes], size: int) -> None:
    """Refuse a directory that would fill the memory, before it is read."""
    tail_size = min(size, _END.size + _LONGEST_COMMENT + _END_64_LOCATOR.size)
    stream.seek(size - tail_size)
    tail = stream.read(tail_size)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise ExchangeFileError("the ZIP file is damaged or cut short: it has no end; export or copy it again")
    _, _, _, _, entries, length, _, _ = _END.unpack_from(tail, at)
    if at >= _END_64_LOCATOR.size and tail[at - _END_64_LOCATOR.size :].startswith(b"PK\x06\x07"):
        _, _, where, _ = _END_64_LOCATOR.unpack_from(tail, at - _END_64_LOCATOR.size)
        if where + _END_64.size <= size:
            stream.seek(where)
            _, _, _, _, _, _, _, entries, length, _ = _END_64.unpack(stream.read(_END_64.size))
    if entries > MAX_ENTRIES or length > _MAX_DIRECTORY:
        raise ExchangeFileError(
            f"the ZIP file says that it holds {entries:,} files; at most {MAX_ENTRIES:,} are accepted. Export one "
            "person at a time"
        )
