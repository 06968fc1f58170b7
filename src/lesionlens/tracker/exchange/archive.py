"""An export, as something to import."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final, TypeVar

from lesionlens.errors import ExchangeFileError
from lesionlens.tracker.exchange import layout
from lesionlens.tracker.exchange.archive_reader import ArchiveReader
from lesionlens.tracker.exchange.documents import LesionDocument, PersonDocument, VisitDocument
from lesionlens.tracker.exchange.items import EVERYTHING, Compared, Item, Photographed
from lesionlens.tracker.exchange.outcome import Skipped

__all__ = ["ExportArchive"]

_INDEX_LIMIT: Final = 64 * 1024 * 1024  # it may list every photo of a store that lost them all
_Record = TypeVar("_Record", PersonDocument, LesionDocument, VisitDocument)


class ExportArchive:
    """The records of an export.

    Args:
        archive: The ZIP, opened.
        photo_limit: Largest photo that the store accepts, in bytes.

    Raises:
        ExchangeFileError: It is no export, or one of a schema that this program does not know.
    """

    compared: Compared = EVERYTHING

    def __init__(self, archive: ArchiveReader, photo_limit: int) -> None:
        self._archive = archive
        self._photo_limit = photo_limit
        _check_index(archive)
        names = archive.names
        self._people = _named(names, layout.PERSON)
        self._lesions = _named(names, layout.LESION)
        self._visits = _named(names, layout.VISIT)
        self._photos = {match[1]: name for name, match in _named(names, layout.PHOTO)}
        self.visits = len(self._visits)
        known = {name for part in (self._people, self._lesions, self._visits) for name, _ in part}
        known |= set(self._photos.values()) | {layout.INDEX, layout.README}
        self._others = [name for name in names if name not in known and not layout.REPORT.fullmatch(name)]

    def items(self) -> Iterator[Item]:
        """Yield the records: people, then lesions, then visits, each by id."""
        for name in self._others:
            yield Skipped(f"file {name[:120]!r}", "it is no part of an export")
        for name, match in self._people:
            yield self._read(name, match[1], PersonDocument)
        for name, match in self._lesions:
            yield self._read(name, match[1], LesionDocument)
        for name, match in self._visits:
            visit = self._read(name, match[1], VisitDocument)
            yield visit if isinstance(visit, Skipped) else self._with_photo(visit)

    def _read(self, name: str, record_id: str, kind: type[_Record]) -> _Record | Skipped:
        try:
            document = kind.parse(self._archive.read(name, layout.JSON_LIMIT))
            if document.id != record_id:
                raise ValueError("the id in it is not the one in its name")
        except ValueError as error:
            return Skipped(f"file {name}", str(error))
        return document

    def _with_photo(self, visit: VisitDocument) -> Photographed:
        def photo() -> bytes:
            wanted = visit.photo.sha256
            if wanted not in self._photos:
                raise ValueError(f"its photo {wanted} is not in the file")
            try:
                data = self._archive.read(self._photos[wanted], self._photo_limit)
            except ValueError as error:
                raise ValueError(f"its photo {wanted} cannot be used: {error}") from error
            if hashlib.sha256(data).hexdigest() != wanted:
                raise ValueError(f"its photo {wanted} is damaged: its bytes do not match its name")
            return data

        return Photographed(visit, photo, f"visit {visit.id}")


def _named(names: list[str], pattern: re.Pattern[str]) -> list[tuple[str, re.Match[str]]]:
    return [(name, match) for name in names if (match := pattern.fullmatch(name))]


def _check_index(archive: ArchiveReader) -> None:
    if layout.INDEX not in archive:
        raise ExchangeFileError(
            f"the ZIP file is no export of LesionLens: it has no {layout.INDEX} at its top; accepted: a file that "
            "'lesionlens tracker export' wrote, as it is"
        )
    try:
        data = archive.read(layout.INDEX, _INDEX_LIMIT)
        version = layout.Version.model_validate_json(data).schema_version
    except ValueError as error:
        raise ExchangeFileError(f"{layout.INDEX} in the ZIP file cannot be read, so it is no export") from error
    if version != layout.SCHEMA_VERSION:
        raise ExchangeFileError(
            f"the export has schema version {version}; this LesionLens reads version {layout.SCHEMA_VERSION}. Update "
            "LesionLens if the export is from a newer one"
        )
    try:
        layout.Index.parse(data)
    except ValueError as error:
        raise ExchangeFileError(f"{layout.INDEX} in the ZIP file is not as it should be: {error}") from error
