"""Finding out what is wrong with a data folder before a training run does."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lesionlens.datasets.isic import ImageSource
from lesionlens.datasets.labels import Fault, Problem, Row, read_folds, read_official, read_one_hot
from lesionlens.datasets.layout import FOLDS_NAME, find_ground_truths
from lesionlens.datasets.progress import Progress, silent
from lesionlens.errors import DataError, ImageError
from lesionlens.imaging import decode
from lesionlens.inference.threads import usable_cpus
from lesionlens.taxonomy import CODES

__all__ = ["Finding", "Problem", "Report", "check"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        problem: What kind of thing.
        subject: The picture, or the table and line, that it is about.
        detail: What was found, in words.
        serious: Whether training on the folder would stop or mislead; otherwise it is only worth knowing.
    """

    problem: Problem
    subject: str
    detail: str = ""
    serious: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """What a data folder holds, and what is wrong with it.

    Attributes:
        table: Name of the label table that training would read.
        rows: Number of its rows.
        pictures: Number of pictures in the folder and its tars.
        class_counts: Number of labelled pictures by diagnosis code, in model order.
        findings: All that is wrong, serious things first.
    """

    table: str
    rows: int
    pictures: int
    class_counts: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def serious(self) -> bool:
        """Whether anything would stop or mislead a training run."""
        return any(f.serious for f in self.findings)


def check(folder: Path, *, quick: bool = False, progress: Progress = silent) -> Report:
    """Check a data folder: that labels and pictures belong together and every picture can be read.

    Where both a folds file and the official ground truth are there, the folds file is the one that training reads;
    the ground truth must then give every picture the same label, but may name pictures that are not there.

    Args:
        folder: Folder in the layout of docs/data.md; pictures may be unpacked or in tars.
        quick: Whether to skip decoding; damaged pictures are then not found.
        progress: Told how many pictures were read.

    Raises:
        DataError: There is no such folder, it has no label table or no pictures, or a table cannot be read at all.
    """
    if not folder.is_dir():
        raise DataError(f"no such data folder: {folder}")
    findings: list[Finding] = []
    table, rows = _read_table(folder, findings)
    source = ImageSource(folder)
    known = {row.image: row for row in rows}
    findings += _repeated(rows, table.name)
    findings += [
        Finding(Problem.MISSING_PICTURE, row.image, f"named in {table.name}")
        for row in known.values()
        if row.image not in source
    ]
    findings += [
        Finding(Problem.UNLABELLED_PICTURE, image, f"not in {table.name}", serious=False)
        for image in source
        if image not in known
    ]
    findings += _groups_across_folds(rows)
    findings += _check_pictures(source, known, quick, progress)
    counts = Counter(CODES[row.label] for row in known.values() if row.label is not None)
    return Report(
        table=table.name,
        rows=len(rows),
        pictures=len(source),
        class_counts={code: counts[code] for code in CODES},
        findings=tuple(sorted(findings, key=lambda f: (not f.serious, list(Problem).index(f.problem), f.subject))),
    )


def _read_table(folder: Path, findings: list[Finding]) -> tuple[Path, list[Row]]:
    def report(fault: Fault) -> None:
        findings.append(Finding(fault.problem, f"{fault.where} ({fault.image})", fault.detail))

    folds = folder / FOLDS_NAME
    if not folds.is_file():
        return read_official(folder, report)
    rows = read_folds(folds, report)
    for official in find_ground_truths(folder):
        truth = {row.image: row.label for row in read_one_hot(official, report)}
        findings += [
            Finding(
                Problem.CONFLICTING_LABELS,
                row.image,
                f"{CODES[row.label]} in {folds.name}, {CODES[other]} in {official.name}",
            )
            for row in rows
            if row.label is not None and (other := truth.get(row.image)) is not None and other != row.label
        ]
    return folds, rows


def _repeated(rows: Iterable[Row], table: str) -> list[Finding]:
    counts = Counter(row.image for row in rows)
    return [Finding(Problem.REPEATED_ROW, image, f"{n} rows in {table}") for image, n in counts.items() if n > 1]


def _groups_across_folds(rows: Iterable[Row]) -> list[Finding]:
    folds: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row.fold is not None:
            folds[row.group].add(row.fold)
    return [
        Finding(Problem.GROUP_ACROSS_FOLDS, f"group {group}", f"folds {', '.join(map(str, sorted(of)))}")
        for group, of in folds.items()
        if len(of) > 1
    ]


class _Read(NamedTuple):
    image: str
    digest: bytes
    error: str | None


def _check_pictures(source: ImageSource, known: dict[str, Row], quick: bool, progress: Progress) -> list[Finding]:
    findings = []
    copies: defaultdict[bytes, list[str]] = defaultdict(list)
    step = "reading pictures" if quick else "decoding pictures"
    with ThreadPoolExecutor(usable_cpus()) as pool:
        reads = pool.map(lambda image: _read(source, image, quick), source)
        for done, read in enumerate(reads, start=1):
            progress(step, done, len(source))
            if read.error is not None:
                findings.append(Finding(Problem.UNREADABLE_PICTURE, read.image, read.error))
            if read.digest:
                copies[read.digest].append(read.image)
    return findings + [
        _judge_copies([known[i] for i in images if i in known], sorted(images))
        for images in copies.values()
        if len(images) > 1
    ]


def _read(source: ImageSource, image: str, quick: bool) -> _Read:
    try:
        data = source.read(image)
    except DataError as error:
        return _Read(image, b"", str(error))
    digest = hashlib.sha256(data).digest()
    try:
        if not quick:
            decode(data)
    except ImageError as error:
        return _Read(image, digest, str(error))
    return _Read(image, digest, None)


def _judge_copies(rows: list[Row], images: list[str]) -> Finding:
    subject = ", ".join(images)
    folds = {row.fold for row in rows if row.fold is not None}
    labels = {row.label for row in rows if row.label is not None}
    if len(labels) > 1:
        names = ", ".join(CODES[label] for label in sorted(labels))
        return Finding(Problem.CONFLICTING_LABELS, subject, f"the same bytes are labelled {names}")
    if len(folds) > 1:
        return Finding(Problem.COPY_ACROSS_FOLDS, subject, f"folds {', '.join(map(str, sorted(folds)))}")
    return Finding(Problem.SAME_BYTES, subject, serious=False)
