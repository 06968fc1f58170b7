"""Unpacking a zip from elsewhere: nothing lands outside the folder, nothing is half written, every CRC is checked."""

from __future__ import annotations

import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from lesionlens.datasets.files import require_space
from lesionlens.datasets.progress import Progress, silent
from lesionlens.errors import DataError

__all__ = ["Unpacked", "unpack"]

_CHUNK: Final = 1 << 20
_RESERVED: Final = frozenset('<>:"|?*\\') | {chr(c) for c in range(32)}


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out of an archive.

    Attributes:
        roots: Top-level files and folders, by name.
        files: Number of files.
        size: Their sizes in bytes, summed.
    """

    roots: tuple[str, ...]
    files: int
    size: int


def unpack(archive: Path, folder: Path, progress: Progress = silent) -> Unpacked:
    """Unpack a zip into a folder; files that are already there with the right bytes are left alone.

    All names are checked before the first file is written. Each file is written under another name and renamed once
    its CRC is right, so an interrupted call leaves nothing half done and the next one goes on.

    Args:
        archive: The zip.
        folder: Where its files go; must exist.
        progress: Told the bytes that were unpacked.

    Raises:
        DataError: The zip is damaged or encrypted, holds a name that would leave the folder or a link, or the disk
            is too small.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = [(m, _safe_path(m, archive)) for m in zipped.infolist() if _wanted(m)]
            if len({p for _, p in members}) < len(members):
                raise DataError(f"{archive.name} is not safe to unpack: it holds two files of one name")
            total = sum(m.file_size for m, _ in members)
            missing = [(m, p) for m, p in members if not _has_size(folder / p, m.file_size)]
            require_space(folder, sum(m.file_size for m, _ in missing))
            done = 0
            for member, path in members:
                progress(f"unpacking {archive.name}", done, total)
                if not _is_there(folder / path, member):
                    _extract(zipped, member, folder / path)
                done += member.file_size
            progress(f"unpacking {archive.name}", done, total)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError: encrypted; NotImplementedError: a compression method that Python lacks
        raise DataError(f"{archive.name} cannot be unpacked: {error}") from error
    except OSError as error:
        raise DataError(f"cannot unpack {archive.name} into {folder}: {error.strerror or error}") from error
    roots = tuple(sorted({path.parts[0] for _, path in members}))
    return Unpacked(roots, len(members), total)


def _wanted(member: zipfile.ZipInfo) -> bool:
    # macOS adds a shadow folder with resource forks to the zips it makes
    return not member.is_dir() and not member.filename.startswith("__MACOSX/")


def _safe_path(member: zipfile.ZipInfo, archive: Path) -> PurePosixPath:
    name = member.orig_filename
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or _RESERVED & set(name):
        raise DataError(f"{archive.name} is not safe to unpack: it holds a file named {name!r}")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise DataError(f"{archive.name} is not safe to unpack: {name!r} is a link")
    return path


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _is_there(path: Path, member: zipfile.ZipInfo) -> bool:
    if not _has_size(path, member.file_size):
        return False
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            crc = zlib.crc32(chunk, crc)
    return crc == member.CRC


def _extract(zipped: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with zipped.open(member) as packed, unfinished.open("wb") as file:
            while chunk := packed.read(_CHUNK):
                file.write(chunk)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
