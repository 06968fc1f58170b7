"""Reading label tables row by row; whoever asks decides what a fault means.

`read_samples` stops at the first one, `check` collects them all.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from lesionlens.datasets.layout import find_ground_truth, find_lesion_table
from lesionlens.errors import DataError
from lesionlens.taxonomy import BY_CODE, canonical_code

__all__ = ["Fault", "Problem", "Report", "Row", "read_folds", "read_official", "read_one_hot"]


class Problem(StrEnum):
    """What can be wrong with a data folder."""

    MISSING_PICTURE = "row without a picture"
    UNLABELLED_PICTURE = "picture without a row"
    UNREADABLE_PICTURE = "unreadable picture"
    REPEATED_ROW = "picture with two rows"
    UNKNOWN_LABEL = "unknown label"
    NOT_ONE_HOT = "row that is not one-hot"
    BAD_FOLD = "fold that is not a number"
    BAD_SIZE = "size that is not a number"
    SAME_BYTES = "pictures with the same bytes"
    CONFLICTING_LABELS = "same picture, two labels"
    GROUP_ACROSS_FOLDS = "group in two folds"
    COPY_ACROSS_FOLDS = "copies in two folds"


class Fault(NamedTuple):
    """What is wrong with a row.

    Attributes:
        problem: What kind of thing.
        where: Table and line.
        image: The picture that the row is about.
        detail: What was found and what is accepted, in words.
    """

    problem: Problem
    where: str
    image: str
    detail: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a label table.

    Attributes:
        image: ISIC identifier.
        label: Class 0–7; None for the official "unknown" and where the row has a fault.
        group: Pictures of one lesion share it; the picture's own identifier if nothing is known.
        source: Collection the picture comes from; empty if unknown.
        fold: Fold; None if there is none.
        width: Width of the stored file in pixels; 0 if unknown.
        height: Height of the stored file in pixels; 0 if unknown.
    """

    image: str
    label: int | None
    group: str
    source: str = ""
    fold: int | None = None
    width: int = 0
    height: int = 0


Report = Callable[[Fault], None]


def read_folds(path: Path, report: Report) -> list[Row]:
    """Read a folds file (`image,label,group,fold,…`).

    Args:
        path: The CSV file.
        report: Told of each fault.

    Raises:
        DataError: The file cannot be read or lacks a column.
    """
    return [
        Row(
            image=row["image"],
            label=_label(row["label"], line, report),
            group=row["group"].strip() or row["image"],
            source=row.get("source", ""),
            fold=_number_of("fold", Problem.BAD_FOLD, line, report),
            width=_number_of("width", Problem.BAD_SIZE, line, report, blank=0) or 0,
            height=_number_of("height", Problem.BAD_SIZE, line, report, blank=0) or 0,
        )
        for line in _lines(path, ("image", "label", "group", "fold"))
        for row in (line.row,)
    ]


def read_one_hot(path: Path, report: Report, lesions: Mapping[str, str] | None = None) -> list[Row]:
    """Read an official ground truth (`image,MEL,NV,…` with a 1 in one column).

    Args:
        path: The CSV file.
        report: Told of each fault.
        lesions: Lesion by picture, where it is known.

    Raises:
        DataError: The file cannot be read or has no column `image`.
    """
    rows = []
    for line in _lines(path, ("image",)):
        image = line.row["image"]
        marks = {column: value for column, value in line.row.items() if column != "image"}
        marked = [column for column, value in marks.items() if _real(value) == 1.0]
        label = None
        if len(marked) != 1 or any(_real(value) not in (0.0, 1.0) for value in marks.values()):
            values = ", ".join(f"{c}={v}" for c, v in marks.items() if _real(v) != 0.0) or "all are 0"
            line.report(report, Problem.NOT_ONE_HOT, f"{values}; exactly one class must be 1 and the others 0")
        elif marked != ["UNK"]:
            label = _label(marked[0], line, report)
        rows.append(Row(image, label, group=(lesions or {}).get(image) or image))
    return rows


def read_official(folder: Path, report: Report) -> tuple[Path, list[Row]]:
    """Read the official ground truth of a data folder, and the official file of lesions if it is there.

    Args:
        folder: The data folder.
        report: Told of each fault.

    Returns:
        The ground truth's path, and its rows.

    Raises:
        DataError: There is no ground truth, or it is not clear which one is meant, or a file cannot be read or lacks
            a column.
    """
    truth = find_ground_truth(folder)
    table = find_lesion_table(folder, truth)
    lines = _lines(table, ("image", "lesion_id")) if table else []
    return truth, read_one_hot(truth, report, {line.row["image"]: line.row["lesion_id"].strip() for line in lines})


class _Line(NamedTuple):
    where: str
    row: dict[str, str]

    def report(self, report: Report, problem: Problem, detail: str) -> None:
        report(Fault(problem, self.where, self.row["image"], detail))


def _lines(path: Path, required: tuple[str, ...]) -> list[_Line]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="(too many)", restval="")
            missing = [column for column in required if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path.name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}")
            return [_Line(f"{path.name}, line {reader.line_num}", row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def _label(text: str, line: _Line, report: Report) -> int | None:
    try:
        return BY_CODE[canonical_code(text)].index
    except KeyError as error:
        line.report(report, Problem.UNKNOWN_LABEL, str(error.args[0]))
        return None


def _number_of(column: str, problem: Problem, line: _Line, report: Report, blank: int | None = None) -> int | None:
    text = line.row.get(column, "").strip()
    if not text and blank is not None:
        return blank
    if not text.isdecimal():
        line.report(report, problem, f"{column} {text!r}; accepted: 0, 1, 2, …")
        return None
    return int(text)


def _real(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
