"""A run in parts: what was listed, what is done, and whether another run may go on with it.

The pictures are listed once and cut into parts of a fixed length. A part is classified as a whole, by one worker, and
kept as one file that is whole or absent. So whoever computes a part, and however often, the run ends with the same
results; and a run that was stopped goes on with the parts that are missing.

Beside the parts (`part-000000.…`) lie `_listing.json.gz` (the pictures) and `_manifest.json`, which is written last: a
folder without it holds no run. Readers of data sets skip names that begin with `_`.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lesionlens.bulk.entry import Entry
from lesionlens.bulk.folders import Folder
from lesionlens.bulk.storage import as_place
from lesionlens.errors import BulkError
from lesionlens.version import __version__

__all__ = ["Identity", "Parts", "part_size"]

_MANIFEST: Final = "_manifest.json"
_LISTING: Final = "_listing.json.gz"
_FEWEST, _MOST = 64, 4096  # pictures in a part: seconds of work for one worker; at most minutes
_PARTS: Final = 1000


class Identity(BaseModel):
    """What must be the same for two runs to be one.

    Attributes:
        lesionlens: Version of this package.
        model: Name, version, SHA-256 and engine (`Classifier.description`).
        options: What else decides the results, by the names of the command's options.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lesionlens: str = __version__
    model: dict[str, Any]
    options: dict[str, Any]

    def difference(self, other: Identity) -> str:
        """Say in words in what an earlier run differs from this one; empty if in nothing.

        Args:
            other: The earlier run.
        """
        pairs: list[tuple[str, Any, Any]] = [("LesionLens", other.lesionlens, self.lesionlens)]
        for mine, theirs, what in ((self.model, other.model, "model's"), (self.options, other.options, "option")):
            names = sorted({*mine, *theirs})
            pairs += [(f"{what} {name}", theirs.get(name), mine.get(name)) for name in names]
        return "; ".join(f"{what} was {was!r}, is {now!r}" for what, was, now in pairs if was != now)


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    notice: str = "Of a research tool, not a medical device: its answers are no diagnosis."
    identity: Identity
    pictures: int
    part_size: int
    suffix: str


class Parts:
    """The parts of a run, in a folder.

    Attributes:
        entries: What is classified, in order.
        size: Entries in a part; the last one may have fewer.
        identity: Whose parts they are.

    Args:
        folder: Where the parts lie.
        identity: Whose parts they are.
        entries: What is classified, in order.
        size: Entries in a part, at least 1.
        suffix: Ending of the files of parts, such as `json`.
    """

    def __init__(self, folder: Folder, identity: Identity, entries: Sequence[Entry], size: int, suffix: str) -> None:
        self.entries, self.size, self.identity = entries, size, identity
        self._folder, self._suffix = folder, suffix

    @classmethod
    def begin(cls, folder: Folder, identity: Identity, entries: Sequence[Entry], size: int, suffix: str) -> Parts:
        """Begin a run in a folder that holds none.

        Raises:
            BulkError: There are parts of something else in the folder.
            OSError: It cannot be written.
        """
        strangers = sorted(name for name in folder.names() if name.startswith("part-"))
        if strangers:
            raise BulkError(f"{folder} holds {strangers[0]}, and nothing that says of which run; name an empty folder")
        rows = [[str(e.place), None if e.heatmap is None else str(e.heatmap), e.error] for e in entries]
        folder.write(_LISTING, gzip.compress(json.dumps(rows).encode("ascii"), mtime=0))
        manifest = _Manifest(identity=identity, pictures=len(entries), part_size=size, suffix=suffix)
        folder.write(_MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())
        return cls(folder, identity, entries, size, suffix)

    @classmethod
    def find(cls, folder: Folder) -> Parts | None:
        """Return the run that a folder holds, finished or not; None if it holds none.

        Raises:
            BulkError: What says so is damaged, or of another version.
            OSError: It cannot be read.
        """
        if _MANIFEST not in folder.names():
            return None
        try:
            manifest = _Manifest.model_validate_json(folder.read(_MANIFEST))
            rows = json.loads(gzip.decompress(folder.read(_LISTING)))
            entries = [Entry(as_place(p), None if h is None else as_place(h), error) for p, h, error in rows]
        except (ValidationError, ValueError, TypeError, EOFError, OSError) as error:
            raise BulkError(
                f"what {folder} says of its run cannot be read ({type(error).__name__}); start over with --restart"
            ) from error
        if len(entries) != manifest.pictures:
            raise BulkError(f"{_LISTING} in {folder} is not that of its run; start over with --restart")
        return cls(folder, manifest.identity, entries, manifest.part_size, manifest.suffix)

    def check(self, identity: Identity) -> None:
        """Refuse to go on with a run that is another one.

        Raises:
            BulkError: Model, options or version differ; the message says in what.
        """
        if difference := identity.difference(self.identity):
            raise BulkError(
                f"{self._folder} holds another run, {len(self.done())} of {self.count} parts done: {difference}. "
                "Finish it as it was begun, start over with --restart, or name another output"
            )

    @property
    def count(self) -> int:
        """How many parts there are, done or not."""
        return math.ceil(len(self.entries) / self.size)

    def of(self, index: int) -> Sequence[Entry]:
        """Return the entries of a part."""
        return self.entries[index * self.size : (index + 1) * self.size]

    def done(self) -> list[int]:
        """Return the parts that are there, in order."""
        names = self._folder.names()
        return [index for index in range(self.count) if self._name(index) in names]

    def put(self, index: int, data: bytes) -> None:
        """Keep a part.

        Raises:
            OSError: It cannot be written.
        """
        self._folder.write(self._name(index), data)

    def get(self, index: int) -> bytes:
        """Return what was kept as a part.

        Raises:
            OSError: It cannot be read.
        """
        return self._folder.read(self._name(index))

    def name(self, index: int) -> str:
        """Return where a part is, for messages."""
        return f"{self._folder}/{self._name(index)}"

    def _name(self, index: int) -> str:
        return f"part-{index:06d}.{self._suffix}"


def part_size(pictures: int, batch_size: int) -> int:
    """Return how many pictures make a part: about a thousandth of them, 64 to 4096, in whole batches.

    Whole batches, because which pictures are computed together may show in the last digits of their results.

    Args:
        pictures: All of them.
        batch_size: Pictures in one call of the engine.
    """
    wanted = min(_MOST, max(_FEWEST, math.ceil(pictures / _PARTS)))
    return math.ceil(wanted / batch_size) * batch_size
