"""Which pictures a person means by a URL: an object, a prefix or a pattern in a bucket, or a part of an archive."""

from __future__ import annotations

import glob
from collections.abc import Callable
from typing import TYPE_CHECKING

from lesionlens.bulk.storage import backend_errors, file_system, name_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["find_in_url"]


def find_in_url(url: str, is_picture: Callable[[str], bool]) -> list[str]:
    """Find the pictures below a URL, sorted.

    Args:
        url: An object, taken whatever its ending; a prefix, searched to the bottom; or a pattern with `*`, `?`, `[…]`
            and `**`. What begins with a dot is left out of prefixes and patterns.
        is_picture: Tells pictures by their names.

    Returns:
        URLs, empty if there is nothing.

    Raises:
        OSError: The place cannot be listed.
        BulkError: What the URL needs is not installed.
    """
    system, path = file_system(url)
    with backend_errors():
        found = _listed(system, path)
        system.invalidate_cache()  # a bucket's listing takes much memory, and is not asked for again
    if found == [path]:
        return [_as_url(url, system, path)]
    root = path.rstrip("/")
    pictures = [file for file in found if is_picture(name_of(file)) and not _is_hidden(file.removeprefix(root))]
    return [_as_url(url, system, file) for file in sorted(pictures)]


def _listed(system: AbstractFileSystem, path: str) -> list[str]:
    if path.strip("/") and system.isfile(path):
        return [path]
    if not glob.has_magic(path):
        return [str(file) for file in system.find(path)]
    files: list[str] = []
    for hit, facts in system.glob(path, detail=True).items():
        files += system.find(hit) if facts["type"] == "directory" else [hit]
    return sorted(set(files))


def _is_hidden(below: str) -> bool:
    return any(part.startswith(".") for part in below.split("/"))


def _as_url(url: str, system: AbstractFileSystem, file: str) -> str:
    inner, chain, outer = url.partition("::")
    if chain:
        return f"{inner.partition('://')[0]}://{file}::{outer}"
    return str(system.unstrip_protocol(file))
