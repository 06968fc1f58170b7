"""Where pictures lie and results go: files of this machine, or whatever fsspec reaches by a URL.

A place is a `Path`, or a `str` that holds a URL: `s3://bucket/key`, `gs://bucket/key`, `memory://name`, and chains such
as `zip://photo.jpg::s3://bucket/photos.zip`. Files of this machine never need fsspec, which only extras install.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from lesionlens.errors import BulkError
from lesionlens.imaging import Limits

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = [
    "Place",
    "as_place",
    "backend_errors",
    "file_system",
    "located",
    "name_of",
    "read",
    "said",
    "whole_file",
    "write",
]

Place = Path | str
"""A path of this machine, or a URL."""

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_EXTRAS: Final = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
# Their files share one position in one archive: two threads that read at once would read each other's bytes.
_ONE_READER: Final = frozenset({"tar", "zip", "libarchive"})
_archive_lock = threading.Lock()


def as_place(text: str | Path) -> Place:
    """Return what a person means by a path or a URL; `file://` is a path of this machine."""
    if isinstance(text, Path) or not _URL.match(text):
        return Path(text)
    return Path(text.removeprefix("file://")) if text.startswith("file://") and "::" not in text else text


def located(place: Place, base: str) -> Place:
    """Return a place as it is found from another working folder; URLs are the same from everywhere.

    Args:
        place: Where.
        base: The absolute folder that relative paths begin at; empty for that of this process.
    """
    return Path(base) / place if base and isinstance(place, Path) else place


def name_of(place: Place) -> str:
    """Return the last part of a place's name, such as `mole.jpg`."""
    return place.name if isinstance(place, Path) else place.split("::")[0].rstrip("/").rpartition("/")[2]


def file_system(url: str) -> tuple[AbstractFileSystem, str]:
    """Return the file system behind a URL, and what it calls the place there.

    Raises:
        BulkError: fsspec, or what it needs for this kind of URL, is not installed; or it knows no such URL.
        OSError: The archive that the URL begins in cannot be opened.
    """
    kind = url.partition("://")[0]
    extra = _EXTRAS.get(kind, "ray")
    try:
        from fsspec.core import url_to_fs

        with backend_errors(ImportError, ValueError):
            found: tuple[AbstractFileSystem, str] = _opened(url_to_fs, url)
    except ImportError as error:
        raise BulkError(f"{kind}:// needs more packages ({error}); pip install 'lesionlens[{extra}]'") from error
    except ValueError as error:
        raise BulkError(f"{url} cannot be reached: {error}") from error
    return found


def _opened(url_to_fs: Any, url: str) -> Any:
    if "::" not in url:
        return url_to_fs(url)  # fsspec keeps these file systems itself
    inner, _, archive = url.partition("::")
    protocol, _, path = inner.partition("://")
    system, _ = _archive(url_to_fs, f"{protocol}://::{archive}")
    return system, path


@cache  # opening an archive reads its whole directory
def _archive(url_to_fs: Any, url: str) -> Any:
    return url_to_fs(url)


def read(place: Place, limits: Limits) -> bytes:
    """Return the bytes of a file, no more of them than are accepted.

    Args:
        place: The file.
        limits: The largest file that is accepted.

    Raises:
        ImageError: The file is empty or too large.
        FileNotFoundError: There is no such file.
        OSError: It cannot be read.
        BulkError: What its URL needs is not installed.
    """
    if isinstance(place, Path):
        if not place.is_file():  # opening a pipe would wait for ever
            raise FileNotFoundError(place)
        limits.check_bytes(place.stat().st_size)
        return place.read_bytes()
    system, path = file_system(place)
    try:
        # A byte more than accepted tells that it is too large, and asks the server once, not twice.
        data = _fetch(system, path, limits.max_bytes + 1, alone=place.partition("://")[0] in _ONE_READER)
        size = len(data) if len(data) <= limits.max_bytes else system.size(path)
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # every backend has errors of its own
        if not _is_empty(system, path):  # S3 refuses any range of an empty object
            raise OSError(said(error)) from error
        data, size = b"", 0
    limits.check_bytes(size)
    return data


def _fetch(system: AbstractFileSystem, path: str, most: int, *, alone: bool) -> bytes:
    with _archive_lock if alone else nullcontext():
        return bytes(system.cat_file(path, start=0, end=most))


def _is_empty(system: AbstractFileSystem, path: str) -> bool:
    try:
        return bool(system.size(path) == 0)
    except Exception:  # the first error is the one to tell
        return False


def write(place: Place, data: bytes) -> None:
    """Write a file; folders that are missing are made.

    Raises:
        OSError: It cannot be written.
        BulkError: What its URL needs is not installed.
    """
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return
    system, path = file_system(place)
    with backend_errors():
        system.pipe_file(path, data)


@contextmanager
def backend_errors(*kept: type[Exception]) -> Iterator[None]:
    """Turn what a backend of fsspec raises into an `OSError`: every one of them has errors of its own.

    Args:
        kept: Errors that pass as they are, beside `OSError`.

    Raises:
        OSError: It raised one, or another that is not among `kept`.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (OSError, *kept)):
            raise
        raise OSError(said(error)) from error


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Open a file of this machine that gets its name, and reaches the disk, when the block ends without an error.

    Args:
        target: Where; a file that is there is replaced then, and folders that are missing are made.

    Raises:
        OSError: It cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def said(error: BaseException) -> str:
    """Return what an error says, in one line; its type where it says nothing."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split()) or type(error).__name__
