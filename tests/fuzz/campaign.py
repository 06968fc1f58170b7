"""Has workers read a range of inputs, replaces those that die, and keeps the books."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fuzz.bounds import Bounds
from fuzz.targets import find_target
from fuzz.worker import LETTERS, Job, job_text

__all__ = ["Finding", "Report", "run"]

_TESTS: Final = Path(__file__).resolve().parents[1]
_POLL: Final = 0.05  # seconds between looks at a worker
_MOST_DEATHS: Final = 100  # then something is wrong with the harness, or with everything
_CLOCKS: Final = {-signal.SIGPROF: "processor time", -signal.SIGALRM: "time"}

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that did harm.

    Attributes:
        number: Which input.
        name: What it was made of and how.
        kind: `exception`, `hang`, `memory`, `crash`, `warning` or `file`.
        detail: What happened, such as a traceback.
        saved: The input, to be looked at and read again.
    """

    number: int
    name: str
    kind: str
    detail: str
    saved: Path


@dataclass(slots=True)
class Report:
    """What a campaign saw.

    Attributes:
        inputs: How many were read.
        outcomes: How those ended, by the word that the target has for it.
        findings: Those that did harm.
        seconds: How long it took.
    """

    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    def summary(self) -> str:
        """Return all of it in one line."""
        words = ", ".join(f"{count} {word}" for word, count in self.outcomes.most_common())
        kinds = Counter(finding.kind for finding in self.findings)
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "nothing"
        return f"{self.inputs} inputs in {self.seconds:.0f} s: {words}. Found: {found}."


def run(
    target: str,
    first: int,
    count: int,
    *,
    save: Path,
    bounds: Bounds | None = None,
    workers: int = 1,
    file: str = "",
    progress: Progress | None = None,
) -> Report:
    """Have a range of inputs read.

    Args:
        target: What reads them: a name that `find_target` knows.
        first: Number of the first input.
        count: How many.
        save: Folder where inputs that did harm are saved.
        bounds: What each may cost; the default bounds if None.
        workers: Processes at once.
        file: Read this file once in place of an input that is made.
        progress: Told how many more were read, now and then, from several threads.

    Raises:
        RuntimeError: Workers die so often that the harness itself must be broken.
    """
    begun = time.monotonic()
    edges = [first + count * i // workers for i in range(workers + 1)]
    with ThreadPoolExecutor(workers) as pool:
        parts = list(
            pool.map(
                lambda i: _run_part(target, edges[i], edges[i + 1], save, bounds or Bounds(), file, progress),
                range(workers),
            )
        )
    report = Report(seconds=time.monotonic() - begun)
    for part in parts:
        report.inputs += part.inputs
        report.outcomes += part.outcomes
        report.findings += part.findings
    return report


def _run_part(
    target: str, first: int, last: int, save: Path, bounds: Bounds, file: str, progress: Progress | None
) -> Report:
    report, deaths, number = Report(), 0, first
    while number < last:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            job = Job(target, number, last, folder, file, bounds)
            status, errors = _watch(job, progress)
            left = _Left(Path(folder))
        finished = number + len(left.outcomes)
        report.outcomes += Counter(left.outcomes)
        found = left.findings
        if finished < last:  # it died, whatever its exit status says
            deaths += 1
            kind, detail = _cause(status, errors)
            if deaths > _MOST_DEATHS or "Traceback (most recent call last)" in errors:
                # What a reader raises is caught, so that a traceback is of the worker itself.
                raise RuntimeError(f"the worker failed {deaths} times; the last time at input {finished}:\n{errors}")
            report.outcomes[kind] += 1
            found.append({"number": finished, "name": "", "kind": kind, "detail": detail})
            finished += 1
        report.findings += [_saved(target, finding, save, file) for finding in found]
        report.inputs += finished - number
        number = finished
    return report


def _watch(job: Job, progress: Progress | None) -> tuple[int, str]:
    """Run a worker to its end, and return its exit status and what it wrote to standard error."""
    outcomes, told = Path(job.folder) / "outcomes", 0
    errors = Path(job.folder) / "errors"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(_TESTS), os.environ.get("PYTHONPATH", "")))}
    with errors.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker", job_text(job)], env=environment, stdout=stream, stderr=stream
        )
        try:
            while process.poll() is None:
                time.sleep(_POLL)
                done = outcomes.stat().st_size if outcomes.exists() else 0
                if progress is not None and done > told:
                    progress(done - told)
                    told = done
        finally:
            process.kill()  # only if this was interrupted
            process.wait()
    done = outcomes.stat().st_size if outcomes.exists() else 0
    if progress is not None and done > told:
        progress(done - told)
    return process.returncode, errors.read_text(encoding="utf-8", errors="replace")


class _Left:
    """What a worker left behind."""

    def __init__(self, folder: Path) -> None:
        def text(name: str) -> str:
            return (folder / name).read_text(encoding="utf-8") if (folder / name).exists() else ""

        words = json.loads(text("words") or "[]")
        self.outcomes = [words[LETTERS.index(letter)] for letter in text("outcomes")]
        self.findings = [json.loads(line) for line in text("findings").splitlines()]


def _cause(status: int, errors: str) -> tuple[str, str]:
    if status in _CLOCKS:
        return "hang", f"it took more {_CLOCKS[status]} than an input may"
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return "crash", f"the process ended: {how}\n{errors[-4000:]}"


def _saved(target: str, finding: dict[str, str], save: Path, file: str) -> Finding:
    number = int(finding["number"])
    case = None if file else find_target(target).make(number)
    save.mkdir(parents=True, exist_ok=True)
    path = Path(file) if case is None else save / f"{target}-{number}"
    if case is not None:
        path.write_bytes(case.data)
    name = finding["name"] or (case.name if case else file)
    return Finding(number, name, finding["kind"], finding["detail"], path)
