"""Reading label tables row by row without stopping at the first fault, for the check of a data folder."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lesionlens.errors import DataError
from lesionlens.taxonomy import BY_CODE, canonical_code

__all__ = ["Finding", "Problem", "Row", "read_folds", "read_one_hot"]


class Problem(StrEnum):
    """What can be wrong with a data folder."""

    MISSING_PICTURE = "row without a picture"
    UNLABELLED_PICTURE = "picture without a row"
    UNREADABLE_PICTURE = "unreadable picture"
    REPEATED_ROW = "picture with two rows"
    UNKNOWN_LABEL = "unknown label"
    NOT_ONE_HOT = "row that is not one-hot"
    BAD_FOLD = "fold that is not a number"
    SAME_BYTES = "pictures with the same bytes"
    CONFLICTING_LABELS = "same picture, two labels"
    GROUP_ACROSS_FOLDS = "group in two folds"
    COPY_ACROSS_FOLDS = "copies in two folds"


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
class Row:
    """One readable row of a label table.

    Attributes:
        image: ISIC identifier.
        label: Class 0–7; None for the official "unknown" and where the row has a fault.
        group: Pictures of one lesion share it; empty if unknown.
        fold: Fold; None if there is none.
    """

    image: str
    label: int | None
    group: str = ""
    fold: int | None = None


Report = Callable[[Finding], None]


def read_folds(path: Path, report: Report) -> list[Row]:
    """Read a folds file (`image,label,group,fold,…`).

    Args:
        path: The CSV file.
        report: Told of each fault.

    Raises:
        DataError: The file cannot be read or lacks a column.
    """
    rows = []
    for line, row in _lines(path, ("image", "label", "group", "fold")):
        where = f"{path.name}, line {line} ({row['image']})"
        fold = row["fold"].strip()
        if not fold.isdecimal():
            report(Finding(Problem.BAD_FOLD, where, f"{fold!r}; accepted: 0, 1, 2, …"))
        rows.append(
            Row(
                row["image"],
                _label(row["label"], where, report),
                group=row["group"],
                fold=int(fold) if fold.isdecimal() else None,
            )
        )
    return rows


def read_one_hot(path: Path, report: Report) -> list[Row]:
    """Read an official ground truth (`image,MEL,NV,…` with a 1 in one column).

    Args:
        path: The CSV file.
        report: Told of each fault.

    Raises:
        DataError: The file cannot be read or has no column `image`.
    """
    rows = []
    for line, row in _lines(path, ("image",)):
        where = f"{path.name}, line {line} ({row['image']})"
        marks = {column: value for column, value in row.items() if column != "image"}
        marked = [column for column, value in marks.items() if _number(value) == 1.0]
        label = None
        if len(marked) != 1 or any(_number(value) not in (0.0, 1.0) for value in marks.values()):
            values = ", ".join(f"{c}={v}" for c, v in marks.items() if _number(v) != 0.0) or "all are 0"
            report(Finding(Problem.NOT_ONE_HOT, where, f"{values}; exactly one class must be 1 and the others 0"))
        elif marked != ["UNK"]:
            label = _label(marked[0], where, report)
        rows.append(Row(row["image"], label))
    return rows


def _lines(path: Path, required: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="(too many)", restval="")
            missing = [column for column in required if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path.name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}")
            return list(enumerate(reader, start=2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path.name}: {error}") from error


def _label(text: str, where: str, report: Report) -> int | None:
    try:
        return BY_CODE[canonical_code(text)].index
    except KeyError as error:
        report(Finding(Problem.UNKNOWN_LABEL, where, str(error.args[0])))
        return None


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
