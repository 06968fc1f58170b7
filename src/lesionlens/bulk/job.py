"""A bulk run from its arguments to its results: what an earlier one left is gone on with, never mixed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lesionlens.bulk.entry import Entry
from lesionlens.bulk.folders import Folder, open_folder
from lesionlens.bulk.parts import Identity, Parts, part_size
from lesionlens.bulk.recount import count_part
from lesionlens.bulk.result import Count, Result
from lesionlens.bulk.run import Runner, classify_missing, kept_results, pack
from lesionlens.bulk.storage import Place, as_place
from lesionlens.bulk.writers import Format, open_writer, render
from lesionlens.errors import BulkError

__all__ = ["Job", "Target", "absolute", "in_order"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where results are kept, and where their parts are until then.

    Attributes:
        place: A file, or a folder for good.
        kind: `file`: parts lie beside it in a folder of its name and `.parts`, and go when it is whole. `folder`: parts
            are the results.
        format: Of the results; CSV or Parquet in a folder.
    """

    place: Place
    kind: Literal["file", "folder"]
    format: Format

    @property
    def parts(self) -> Place:
        """Where the parts lie."""
        if self.kind == "folder":
            return self.place
        if isinstance(self.place, Path):
            return self.place.with_name(f"{self.place.name}.parts")
        return f"{self.place}.parts"

    @property
    def suffix(self) -> str:
        """Ending of the files of parts."""
        return self.format if self.kind == "folder" else "json"


class Job:
    """A run in parts.

    Attributes:
        earlier_count: The results that an earlier run left, once this one has begun.

    Args:
        target: Where the results go.
        options: What decides the results, by the names of the command's options; values as JSON knows them.
        restart: Throw away what an earlier run left unfinished.

    Raises:
        BulkError: Another run is at it, what an earlier one left is damaged, or something needed is not installed.
        OSError: The place cannot be used.
    """

    def __init__(self, target: Target, options: dict[str, Any], *, restart: bool = False) -> None:
        self.target = target
        # The format of a file is only that of its last step; that of a folder is that of its parts.
        self._options = {**options, "format": target.format} if target.kind == "folder" else options
        self._folder: Folder = open_folder(target.parts)
        self._folder.hold()
        try:
            if restart:
                self._clear()
            self._earlier = Parts.find(self._folder)
        except BaseException:
            self._folder.release()
            raise
        self._parts: Parts | None = None
        self.earlier_count = Count()
        self._done: list[int] = []

    @property
    def earlier(self) -> Sequence[Entry] | None:
        """What an earlier run listed, which this one goes on with; None if there was none."""
        return None if self._earlier is None else self._earlier.entries

    def begin(self, model: dict[str, Any], entries: Sequence[Entry], *, batch_size: int, retry: bool = False) -> None:
        """Begin, or go on.

        Args:
            model: What classifies (`Classifier.description`).
            entries: What is classified; what an earlier run listed, if it did.
            batch_size: Pictures in one call of the engine.
            retry: Do parts again in which a picture has no answer.

        Raises:
            BulkError: The earlier run is another one.
            OSError: The place cannot be used.
        """
        identity = Identity(model=model, options=self._options)
        if self._earlier is not None:
            self._earlier.check(identity)
            self._parts = self._earlier
        if self._parts is None:
            size = part_size(len(entries), batch_size)
            self._parts = Parts.begin(self._folder, identity, entries, size, self.target.suffix)
        for index in self._parts.done():
            count = count_part(self._parts.get(index), self.target.suffix)
            if not (retry and count.failed):
                self._done.append(index)
                self.earlier_count.include(count)

    def run(self, runner: Runner) -> None:
        """Classify what is missing.

        Args:
            runner: Classifies parts, here or elsewhere.

        Raises:
            LesionLensError: The runner stopped; what it did is kept.
            OSError: A part cannot be kept.
        """
        parts = self._begun()
        classify_missing(parts, runner, self._encode, self._done)

    def finish(self) -> None:
        """Make the results of the parts, and remove these if they are none themselves.

        Raises:
            BulkError: A part is damaged.
            OSError: The results cannot be written.
        """
        parts = self._begun()
        if self.target.kind == "file":
            with open_writer(self.target.place, self.target.format, parts.identity.model) as writer:
                for result in kept_results(parts, range(parts.count)):
                    writer.write(result)
            self._folder.remove()
        self._folder.release()

    def close(self) -> int:
        """Let other runs in.

        Returns:
            How many pictures are in the parts that are there.
        """
        self._folder.release()
        return 0 if self._parts is None else sum(len(self._parts.of(index)) for index in self._parts.done())

    def _encode(self, results: list[Result]) -> bytes:
        if self.target.kind == "file":
            return pack(results)
        return render(results, self.target.format, self._begun().identity.model)

    def _begun(self) -> Parts:
        if self._parts is None:
            raise RuntimeError("begin() was not called")
        return self._parts

    def _clear(self) -> None:
        """Remove a run, and never anything else."""
        strangers = sorted(n for n in self._folder.names() if not n.startswith(("part-", "_manifest.", "_listing.")))
        if strangers:
            raise BulkError(f"{self._folder} holds more than a run ({strangers[0]}); name another folder")
        self._folder.remove()
        self._folder.hold()


def absolute(arguments: Sequence[str]) -> list[str]:
    """Return paths and URLs as they mean the same from every working folder."""
    places = [as_place(argument) for argument in arguments]
    return [str(place.absolute()) if isinstance(place, Path) else place for place in places]


def in_order(done: Iterator[tuple[int, list[Result]]]) -> Iterator[Result]:
    """Give the results of parts in their order, however they come; those that are early wait in memory."""
    waiting: dict[int, list[Result]] = {}
    wanted = 0
    for index, results in done:
        waiting[index] = results
        while wanted in waiting:
            yield from waiting.pop(wanted)
            wanted += 1
