"""Does every photo that a record names lie there whole, and is there nothing else?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import exists, select

from lesionlens.errors import StoreError
from lesionlens.tracker.database.models import PhotoRow, RemovalRow, VisitRow
from lesionlens.tracker.database.sessions import Database
from lesionlens.tracker.doctor.findings import Finding
from lesionlens.tracker.doctor.sources import Sources
from lesionlens.tracker.photos import PhotoFiles
from lesionlens.tracker.removals import finish_removals, forget_photos

__all__ = ["examine_photos", "examine_removals"]

_PHOTOS = "photos"
_ERASED = "erased photos"


def examine_removals(database: Database, photos: PhotoFiles, *, repair: bool) -> Finding:
    """Look for photos that nothing shows any more and that are still there.

    Args:
        database: The records.
        photos: The photo files.
        repair: Whether to remove them.
    """
    unused = select(PhotoRow.sha256).where(~exists().where(VisitRow.photo_sha256 == PhotoRow.sha256))
    with database.read() as session:
        noted = set(session.scalars(select(RemovalRow.sha256)))
        unseen = set(session.scalars(unused))
    left = tuple(sorted(noted | unseen))
    if not left:
        return Finding(_ERASED, "fine", "none is left over")
    if not repair:
        return Finding(
            _ERASED, "wrong", f"{_count(left, 'photo')} of erased visits still there; --repair removes", left
        )
    try:
        with database.write() as session:
            database.lock_photos(session, unseen)
            forget_photos(session, unseen)
        removed = finish_removals(database, photos)
    except StoreError as error:
        return Finding(_ERASED, "wrong", str(error), left)
    return Finding(_ERASED, "repaired", f"{removed} of {_count(left, 'photo')} of erased visits removed", left)


def examine_photos(database: Database, photos: PhotoFiles, *, repair: bool, elsewhere: Iterable[Path] = ()) -> Finding:
    """Read every photo that a record names, and compare it with its hash.

    Args:
        database: The records.
        photos: The photo files.
        repair: Whether to put lost and damaged photos back from files that hold the same.
        elsewhere: Folders to look for such files in, besides the photos' own.
    """
    with database.read() as session:
        named = session.execute(select(PhotoRow.sha256, PhotoRow.byte_size).order_by(PhotoRow.sha256)).all()
    bad = {row.sha256: (row.byte_size, trouble) for row in named if (trouble := _trouble(photos, row.sha256))}
    with database.read() as session:  # those erased since then are no loss
        bad = {sha256: found for sha256, found in bad.items() if session.get(PhotoRow, sha256) is not None}
    if not bad:
        return Finding(_PHOTOS, "fine", f"{_count(named, 'photo')}, all whole")

    lost: list[str] = []
    sources = Sources((photos.folder, *elsewhere)) if repair else None
    for sha256, (byte_size, trouble) in bad.items():
        data = sources.find(sha256, byte_size) if sources else None
        if data is None:
            lost.append(f"{photos.path(sha256)}: {trouble}{_visits_of(database, sha256)}")
        else:
            photos.keep(data)
    put_back = len(bad) - len(lost)
    if not lost:
        return Finding(_PHOTOS, "repaired", f"{_count(bad, 'photo')} put back from files that hold the same")
    done = f"{put_back} put back; " if put_back else ""
    advice = "give a backup with --repair --photos-from FOLDER"
    return Finding(
        _PHOTOS, "wrong", f"{done}{len(lost)} of {_count(named, 'photo')} lost or damaged; {advice}", tuple(lost)
    )


def _trouble(photos: PhotoFiles, sha256: str) -> str | None:
    try:
        if photos.is_whole(sha256):
            return None
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return "its bytes are not those that were stored" if photos.exists(sha256) else "missing"


def _visits_of(database: Database, sha256: str) -> str:
    with database.read() as session:
        visits = session.scalars(select(VisitRow.id).where(VisitRow.photo_sha256 == sha256).order_by(VisitRow.id))
        return " (visit " + ", ".join(visits) + ")"


def _count(things: Iterable[object], name: str) -> str:
    number = sum(1 for _ in things)
    return f"{number} {name}{'' if number == 1 else 's'}"
