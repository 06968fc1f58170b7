"""Are there files that no record names, left by writers that never finished?"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select

from lesionlens.tracker.database.models import PhotoRow
from lesionlens.tracker.database.sessions import Database
from lesionlens.tracker.doctor.findings import Finding
from lesionlens.tracker.photos import PhotoFiles, make_private_folder, sync_folder

__all__ = ["ORPHAN_FOLDER", "YOUNG", "examine_orphans", "examine_temporary_files"]

ORPHAN_FOLDER: Final = "orphans"
"""Where, in the data folder, photo files are set aside that no record names."""
YOUNG: Final = timedelta(hours=1)
"""Younger files are left alone: a writer may be between the file and the record."""

_ORPHANS: Final = "orphans"
_TEMPORARY: Final = "temporary files"


def examine_orphans(
    database: Database, photos: PhotoFiles, orphans: Path, *, repair: bool, now: datetime
) -> list[Finding]:
    """Look for photo files that no record names.

    They are set aside, not removed: where the database was put back from an older backup, they are the photos of the
    visits since. (The photos of erased visits are removed by another way, which does not guess.)

    Args:
        database: The records.
        photos: The photo files.
        orphans: Folder to set them aside in.
        repair: Whether to do so.
        now: The present, with a UTC offset.
    """
    with database.read() as session:
        named = set(session.scalars(select(PhotoRow.sha256)))
    nameless = [path for path in photos.files() if not _is_named(photos, path, named)]
    with database.read() as session:  # a visit may have been recorded since the first look
        named = set(session.scalars(select(PhotoRow.sha256)))
    nameless = [path for path in nameless if not _is_named(photos, path, named)]
    finding = _judge(
        _ORPHANS,
        "photo files that no record names",
        f"set aside in {orphans}",
        nameless,
        now,
        (lambda path: _set_aside(database, photos, path, orphans)) if repair else None,
    )
    kept = sum(1 for path in orphans.rglob("*") if path.is_file())
    if not kept:
        return [finding]
    message = f"{kept} files were set aside in {orphans}; remove them when no photo is missing"
    return [finding, Finding("set aside", "note", message)]


def examine_temporary_files(photos: PhotoFiles, *, repair: bool, now: datetime) -> Finding:
    """Look for files that a writer began and never finished.

    Args:
        photos: The photo files.
        repair: Whether to remove them: no record can name one.
        now: The present, with a UTC offset.
    """
    return _judge(
        _TEMPORARY,
        "files that a writer began and did not finish",
        "removed",
        list(photos.temporary_files()),
        now,
        _remove if repair else None,
    )


def _judge(
    check: str, what: str, done: str, paths: list[Path], now: datetime, mend: Callable[[Path], bool] | None
) -> Finding:
    old = [path for path in paths if _age(path, now) >= YOUNG]
    young = len(paths) - len(old)
    also = f"{young} younger than an hour, left alone" if young else ""
    if not old:
        return Finding(check, "note" if young else "fine", also or "none")
    if mend is None:
        return Finding(check, "wrong", _joined(f"{len(old)} {what}", also), _names(old))
    failed = [path for path in old if not mend(path)]
    if failed:
        return Finding(
            check, "wrong", _joined(f"{len(failed)} of {len(old)} {what} could not be {done}", also), _names(failed)
        )
    return Finding(check, "repaired", _joined(f"{len(old)} {what}: {done}", also), _names(old))


def _is_named(photos: PhotoFiles, path: Path, named: set[str]) -> bool:
    return path.name in named and path == photos.path(path.name)


def _set_aside(database: Database, photos: PhotoFiles, path: Path, orphans: Path) -> bool:
    """Move a file out of the way, unless a record has come to name it; say whether it is no orphan any more."""
    try:
        sha256 = path.name if path == photos.path(path.name) else None
    except ValueError:
        sha256 = None
    with database.write() as session:
        if sha256 is not None:
            database.lock_photos(session, [sha256])
            if session.get(PhotoRow, sha256) is not None:
                return True
        try:
            make_private_folder(orphans)
            target = orphans / path.name
            if target.exists():
                target = orphans / f"{path.name}-{secrets.token_hex(4)}"
            path.rename(target)
            sync_folder(orphans)
        except OSError:
            return False
    return True


def _remove(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _age(path: Path, now: datetime) -> timedelta:
    try:
        return now - datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:  # its writer has just finished it
        return timedelta(0)


def _names(paths: Iterable[Path]) -> tuple[str, ...]:
    # A name may hold bytes that are no text, which no terminal and no JSON file takes.
    return tuple(sorted(str(path).encode("utf-8", "backslashreplace").decode() for path in paths))


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
