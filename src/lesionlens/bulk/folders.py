"""A folder for the parts of a run, on this machine or in a bucket: every file in it is whole or absent."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import IO, Protocol

from lesionlens.bulk.storage import Place, backend_errors, file_system, whole_file
from lesionlens.errors import BulkError

__all__ = ["Folder", "open_folder"]


class Folder(Protocol):
    """A flat folder of small files."""

    def names(self) -> set[str]:
        """Return the names of its files; none if there is no such folder."""
        ...

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write a file; after a kill in the middle it is what it was before."""
        ...

    def hold(self) -> None:
        """Keep other runs out until this process ends, or `release` is called."""
        ...

    def release(self) -> None:
        """Let other runs in."""
        ...

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        ...


def open_folder(place: Place) -> Folder:
    """Return the folder at a place; nothing is made before something is written.

    Raises:
        BulkError: What its URL needs is not installed.
    """
    return LocalFolder(place) if isinstance(place, Path) else RemoteFolder(place)


class LocalFolder:
    """A folder of this machine.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: IO[bytes] | None = None
        self._made = False

    def __str__(self) -> str:
        return str(self._path)

    def names(self) -> set[str]:
        """See `Folder.names`."""
        try:
            with os.scandir(self._path) as found:
                return {entry.name for entry in found if entry.is_file() and not entry.name.startswith(".")}
        except FileNotFoundError:
            return set()

    def read(self, name: str) -> bytes:
        """See `Folder.read`."""
        return (self._path / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """See `Folder.write`."""
        with whole_file(self._path / name) as file:
            file.write(data)

    def hold(self) -> None:
        """See `Folder.hold`.

        Raises:
            BulkError: Another run holds it.
        """
        self._made = not self._path.exists()
        self._path.mkdir(parents=True, exist_ok=True)
        if os.name != "posix":
            return  # no such locks there
        import fcntl

        self._lock = (self._path / ".lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise BulkError(f"another run is writing to {self._path}; wait for it, or name another output") from None

    def release(self) -> None:
        """See `Folder.release`."""
        if self._lock is None:
            return
        if self._made and not self.names():  # nothing came of it
            shutil.rmtree(self._path, ignore_errors=True)
        self._lock.close()
        self._lock = None

    def remove(self) -> None:
        """See `Folder.remove`."""
        self.release()
        if self._path.exists():
            shutil.rmtree(self._path)


class RemoteFolder:
    """A folder that fsspec reaches. Object stores write whole objects; two runs at once are not kept apart.

    Args:
        url: Where it is.

    Raises:
        BulkError: What the URL needs is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._system, self._path = file_system(self._url)

    def __str__(self) -> str:
        return self._url

    def names(self) -> set[str]:
        """See `Folder.names`."""
        self._system.invalidate_cache()
        try:
            with backend_errors():
                found = self._system.find(self._path, maxdepth=1)
        except FileNotFoundError:
            return set()
        return {file.rpartition("/")[2] for file in found}

    def read(self, name: str) -> bytes:
        """See `Folder.read`."""
        return bytes(self._system.cat_file(f"{self._path}/{name}"))

    def write(self, name: str, data: bytes) -> None:
        """See `Folder.write`."""
        with backend_errors():
            self._system.pipe_file(f"{self._path}/{name}", data)

    def hold(self) -> None:
        """See `Folder.hold`."""

    def release(self) -> None:
        """See `Folder.release`."""

    def remove(self) -> None:
        """See `Folder.remove`."""
        if self.names():
            self._system.rm(self._path, recursive=True)
