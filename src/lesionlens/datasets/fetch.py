"""Fetching a published data set into a folder, as often as it takes, without doing anything twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lesionlens.datasets.catalogue import BASE_URL, Collection, RemoteFile
from lesionlens.datasets.download import download
from lesionlens.datasets.files import Digests, PartialFile, file_digests, require_space
from lesionlens.datasets.progress import Progress, silent
from lesionlens.datasets.unpack import Unpacked, unpack
from lesionlens.errors import DataError

__all__ = ["LEDGER_NAME", "fetch"]

LEDGER_NAME: Final = "downloads.json"

Outcome = Literal["fetched", "already there"]


class _Entry(BaseModel):
    """What is known of a file that arrived."""

    model_config = ConfigDict(extra="ignore")

    url: str
    fetched_at: str
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    unpacked: Unpacked | None = None


class _Ledger(BaseModel):
    """The record in the data folder of what was downloaded, from where, with which SHA-256."""

    model_config = ConfigDict(extra="ignore")

    licence: str = ""
    citations: tuple[str, ...] = ()
    files: dict[str, _Entry] = Field(default_factory=dict)


def fetch(
    collection: Collection,
    folder: Path,
    *,
    base_url: str = BASE_URL,
    keep_archives: bool = False,
    attempts: int = 5,
    backoff_s: float = 1.0,
    progress: Progress = silent,
) -> dict[str, Outcome]:
    """Download and unpack a collection; what is there already is checked and left alone.

    The SHA-256 of each file is recorded in `downloads.json` at its first download; a later download must have the
    same. Showing the licence and asking for consent is the caller's part.

    Args:
        collection: What to fetch, out of `lesionlens.datasets.catalogue.COLLECTIONS`.
        folder: Where to; made if it is missing.
        base_url: Address of the official bucket or of a mirror with the same layout.
        keep_archives: Whether zips stay after they were unpacked.
        attempts: How often in a row a transfer may break off without progress.
        backoff_s: First wait in seconds before trying again; it doubles each time.
        progress: Told how far each step is.

    Returns:
        For each file of the collection, by name, whether it was fetched or already there.

    Raises:
        DataError: A file cannot be had, is damaged or not the expected one, or the disk is too small.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the folder {folder}: {error.strerror}") from error
    ledger = _read(folder)
    ledger.licence = f"{collection.licence} ({collection.licence_url})"
    ledger.citations = tuple(dict.fromkeys((*ledger.citations, *collection.citations)))
    outcomes: dict[str, Outcome] = {
        f.name: "already there" if _complete(folder, f, ledger.files.get(f.name)) else "fetched"
        for f in collection.files
    }
    missing = [f for f in collection.files if outcomes[f.name] == "fetched"]
    require_space(folder, sum(_space_for(folder, f) for f in missing))
    for remote in missing:
        target, url = folder / remote.name, f"{base_url.rstrip('/')}/{remote.path}"
        known = ledger.files.get(remote.name)
        if target.is_file():
            digests = _adopt(target, remote, known, progress)
        else:
            digests = download(
                url, target, size=remote.size, md5=remote.md5, sha256=known.sha256 if known else None,
                attempts=attempts, backoff_s=backoff_s, progress=progress,
            )  # fmt: skip
        entry = _Entry(
            url=url,
            fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
            size=digests.size,
            sha256=digests.sha256,
        )
        ledger.files[remote.name] = entry
        _write(folder, ledger)
        if remote.is_archive:
            entry.unpacked = unpack(target, folder, progress)
            _write(folder, ledger)
            if not keep_archives:
                target.unlink()
    return outcomes


def _adopt(target: Path, remote: RemoteFile, known: _Entry | None, progress: Progress) -> Digests:
    """Take a file that is there already, from an interrupted call or by hand, if it is the expected one."""
    digests = file_digests(target, progress, f"verifying {target.name}")
    expectations = (
        ("size", digests.size, remote.size),
        ("MD5", digests.md5, remote.md5),
        ("SHA-256", digests.sha256, known.sha256 if known else None),
    )
    for what, actual, expected in expectations:
        if expected is not None and actual != expected:
            raise DataError(
                f"{target} is there but is not the official file: its {what} is {actual}, expected {expected}. "
                "Move it away and run the command again"
            )
    return digests


def _complete(folder: Path, remote: RemoteFile, entry: _Entry | None) -> bool:
    if entry is None:
        return False
    if not remote.is_archive:
        path = folder / remote.name
        return path.is_file() and file_digests(path).sha256 == entry.sha256
    return entry.unpacked is not None and _still_unpacked(folder, entry.unpacked)


def _still_unpacked(folder: Path, unpacked: Unpacked) -> bool:
    # Counting and weighing finds lost and cut-off files in a moment; `data check` decodes every picture.
    sizes = [
        p.stat().st_size
        for root in unpacked.roots
        for p in ((folder / root).rglob("*") if (folder / root).is_dir() else [folder / root])
        if p.is_file()
    ]
    return len(sizes) >= unpacked.files and sum(sizes) >= unpacked.size


def _space_for(folder: Path, remote: RemoteFile) -> int:
    size = remote.size or 0
    target = folder / remote.name
    to_download = 0 if target.is_file() else size - min(size, PartialFile(target).size)
    return to_download + (size if remote.is_archive else 0)  # pictures are packed without gain: they unpack to as much


def _read(folder: Path) -> _Ledger:
    path = folder / LEDGER_NAME
    if not path.is_file():
        return _Ledger()
    try:
        return _Ledger.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataError(
            f"{path} is damaged ({error.error_count()} problems); delete it to start a new record"
        ) from error


def _write(folder: Path, ledger: _Ledger) -> None:
    unfinished = folder / f".{LEDGER_NAME}.part"
    unfinished.write_text(json.dumps(ledger.model_dump(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(folder / LEDGER_NAME)
