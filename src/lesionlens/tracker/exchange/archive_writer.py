"""A ZIP whose bytes depend on nothing but what is put into it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Final, Self

__all__ = ["ArchiveWriter"]

_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can hold
_UNIX: Final = 3
_PRIVATE_FILE: Final = 0o100600 << 16


class ArchiveWriter:
    """Writes files one after the other, with fixed times and permissions, and not compressed.

    Compressing would gain next to nothing, since photos fill the file and are compressed already, and the result would
    differ between builds of zlib.

    Args:
        stream: A binary file that can be written and sought in.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True)

    def add(self, name: str, data: bytes) -> None:
        """Write a whole file."""
        self._zip.writestr(_entry(name), data)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Write a file whose size is not known yet; no other can be written meanwhile."""
        with self._zip.open(_entry(name), "w", force_zip64=True) as file:
            yield file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After an error too, since Python would do it later and at a worse moment. Whoever wrote to a file must throw
        # it away then: it looks whole and is not.
        self._zip.close()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _NO_TIME)
    entry.create_system = _UNIX
    entry.external_attr = _PRIVATE_FILE
    return entry
