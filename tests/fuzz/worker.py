"""Reads damaged files in a process of its own, which may hang or die: `campaign` starts it and picks up what it left.

It is given a job as JSON. In the job's folder it leaves `outcomes`, one letter per finished input, so that whoever
finds it dead knows at which input, and `findings`, one JSON object per line.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import tempfile
import traceback
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from fuzz.bounds import Bounds, forbid_more_memory, peak_memory, start_clocks, stop_clocks
from fuzz.mutate import Case
from fuzz.targets import Target, find_target

__all__ = ["LETTERS", "Job", "main"]

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""How inputs ended: the first kind of outcome that `words` names is A, and so on."""


@dataclass(frozen=True, slots=True)
class Job:
    """Inputs to be read.

    Attributes:
        target: What reads them.
        first: Number of the first.
        last: Number after the last.
        folder: Where results are left; the working and temporary folder `work` lies in it.
        file: Read this file instead, as the input of number `first`; empty for none.
        bounds: What each may cost.
    """

    target: str
    first: int
    last: int
    folder: str
    file: str
    bounds: Bounds


class _Books:
    """What is left behind for the campaign."""

    def __init__(self, folder: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._outcomes = os.open(folder / "outcomes", flags)
        self._findings = os.open(folder / "findings", flags)
        self._words_file = folder / "words"
        self._words: list[str] = json.loads(self._words_file.read_text()) if self._words_file.exists() else []

    def ended(self, word: str) -> None:
        if word not in self._words:
            self._words.append(word)
            self._words_file.write_text(json.dumps(self._words))
        os.write(self._outcomes, LETTERS[self._words.index(word)].encode())

    def found(self, case: Case, kind: str, detail: str) -> None:
        line = json.dumps({"number": case.number, "name": case.name, "kind": kind, "detail": detail})
        os.write(self._findings, line.encode() + b"\n")


def main(job: Job) -> None:
    """Read all inputs of a job."""
    faulthandler.enable()  # where it was, if it crashes
    folder = Path(job.folder)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    os.chdir(work)
    tempfile.tempdir = str(work)
    books = _Books(folder)
    target = find_target(job.target)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        target.warm_up()
        forbid_more_memory()
        for number in range(job.first, job.last):
            case = Case(number, job.file, Path(job.file).read_bytes()) if job.file else target.make(number)
            told.clear()
            memory = peak_memory()
            start_clocks(job.bounds)
            word = _read(target, case, books)
            stop_clocks()
            _check_memory(case, books, memory, job.bounds.memory)
            for warning in told:
                if not _is_remark_of_pillow(warning):
                    books.found(case, "warning", f"{warning.category.__name__}: {warning.message}")
            for left in work.iterdir():
                books.found(case, "file", f"it left {left.name!r} behind")
                left.unlink()
            books.ended(word)


def _read(target: Target, case: Case, books: _Books) -> str:
    try:
        return target.read(case)
    except Exception:
        books.found(case, "exception", traceback.format_exc())
        return "exception"


def _check_memory(case: Case, books: _Books, before: int, most: int) -> None:
    grown = peak_memory() - before
    if grown > most:
        books.found(case, "memory", f"the peak memory grew by {grown / 1024**2:.0f} MiB")


def _is_remark_of_pillow(warning: warnings.WarningMessage) -> bool:
    """Whether it is one of Pillow's remarks on odd metadata, which docs/imaging.md says go the way of all warnings."""
    return warning.category is UserWarning and Path(warning.filename).parent.name == "PIL"


def job_from(text: str) -> Job:
    """Return the job that `job_text` wrote."""
    values = json.loads(text)
    return Job(**{**values, "bounds": Bounds(**values["bounds"])})


def job_text(job: Job) -> str:
    """Write a job for the command line of a worker."""
    return json.dumps(asdict(job))


if __name__ == "__main__":
    main(job_from(sys.argv[1]))
