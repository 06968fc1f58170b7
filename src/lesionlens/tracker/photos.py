"""Photo files, each stored once under the hash of its bytes, and safe on disk before anything names it."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lesionlens.errors import DamagedPhotoError, StoreError
from lesionlens.tracker.ids import is_hash

__all__ = ["PhotoFiles", "make_private_folder", "sync_folder"]

_TEMPORARY: Final = "tmp"


class PhotoFiles:
    """A folder of photos: `ab/cd/abcd…`, named by the SHA-256 of what they hold.

    A file is written under a temporary name, flushed to the disk, renamed, and the renaming flushed too, so at no
    moment does a hash name anything but the whole photo. Safe from any number of threads and processes.

    Args:
        folder: Made on first use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Return where a photo lies or would lie.

        Raises:
            ValueError: It is not 64 lower-case hexadecimal digits.
        """
        if not is_hash(sha256):
            raise ValueError(f"{sha256!r} is no SHA-256 in lower-case hexadecimal")
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    def keep(self, data: bytes) -> str:
        """Store a photo durably; one that is there already is stored once, and replaced if it is damaged.

        Args:
            data: The photo as it was sent.

        Returns:
            Its SHA-256.

        Raises:
            StoreError: It could not be written; nothing is left under its hash.
        """
        digest = hashlib.sha256(data).hexdigest()
        target = self.path(digest)
        try:
            # Whoever wrote the file that is there may not have flushed it yet, so its presence alone is no promise.
            if self.is_whole(digest):
                _sync_file(target)
            else:
                self._write(target, data)
            for folder in (target.parent, target.parent.parent, self.folder):
                sync_folder(folder)
        except OSError as error:
            raise StoreError(f"the photo could not be written to {target}: {error.strerror or error}") from error
        return digest

    def is_whole(self, sha256: str) -> bool:
        """Say whether a photo is there and its bytes match its hash.

        Raises:
            OSError: The file is there and cannot be read.
        """
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except (FileNotFoundError, IsADirectoryError):
            return False

    def exists(self, sha256: str) -> bool:
        """Say whether there is a file for a photo, whatever it holds."""
        return self.path(sha256).is_file()

    def read(self, sha256: str, *, verify: bool = True) -> bytes:
        """Read a photo as it was sent.

        Args:
            sha256: Names the photo.
            verify: Whether to compare the bytes with the hash; costs a few milliseconds for each 10 MB.

        Raises:
            DamagedPhotoError: The file is missing, or its bytes do not match.
            StoreError: It cannot be read.
        """
        path = self.path(sha256)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise DamagedPhotoError(f"the photo file {path} is missing; lesionlens doctor looks for it") from error
        except OSError as error:
            raise StoreError(f"the photo file {path} cannot be read: {error.strerror or error}") from error
        if verify and hashlib.sha256(data).hexdigest() != sha256:
            raise DamagedPhotoError(
                f"the photo file {path} is damaged: its bytes do not match its name; lesionlens doctor can replace it "
                "from a backup"
            )
        return data

    def remove(self, sha256: str) -> None:
        """Remove a photo for good; one that is not there is left as it is.

        Only for callers who hold the lock under which no record can come to need it (`lesionlens.tracker.removals`).

        Raises:
            OSError: It cannot be removed.
        """
        path = self.path(sha256)
        try:
            path.unlink()
        except FileNotFoundError:
            return
        sync_folder(path.parent)

    def hashes(self) -> Iterator[str]:
        """Yield the hash of every file that lies where a photo of that hash belongs."""
        for path in self.files():
            if is_hash(path.name) and path == self.path(path.name):
                yield path.name

    def files(self) -> Iterator[Path]:
        """Yield every file in the folder but the temporary ones, whatever its name."""
        for path in self.folder.rglob("*"):
            if path.is_file() and self._temporary not in path.parents:
                yield path

    def temporary_files(self) -> Iterator[Path]:
        """Yield the files that writers have begun and not finished."""
        if self._temporary.is_dir():
            yield from (path for path in self._temporary.iterdir() if path.is_file())

    @property
    def _temporary(self) -> Path:
        return self.folder / _TEMPORARY

    def _write(self, target: Path, data: bytes) -> None:
        # On the same file system as the target, since only then is renaming atomic.
        make_private_folder(self._temporary)
        make_private_folder(target.parent)
        temporary = self._temporary / f"{target.name}-{secrets.token_hex(8)}"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123  # `Path.open` cannot set who may read the file
                file.write(data)
                file.flush()
                _sync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, for nobody but this user, and flush their names to the disk.

    Raises:
        OSError: It cannot be made.
    """
    if folder.is_dir():
        return
    make_private_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the operating system can.

    Raises:
        OSError: It cannot be flushed.
    """
    if sys.platform == "win32":  # folders cannot be opened there; NTFS journals names by itself
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:  # Windows flushes only what may be written
        _sync(file.fileno())


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        # On macOS `fsync` leaves the bytes in the drive's cache, where a power cut takes them.
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)
