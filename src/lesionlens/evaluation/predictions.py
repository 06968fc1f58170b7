"""What a model said of each picture, and its CSV file: all that the figures are computed from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lesionlens.errors import DataError
from lesionlens.evaluation.traits import Traits
from lesionlens.taxonomy import BY_CODE, CODES, MALIGNANT_INDEXES, NOT_CONFIDENT_INDEX, canonical_code, diagnosis

__all__ = ["COLUMNS", "Predictions"]

Strings = npt.NDArray[np.str_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_LOGITS = [f"logit_{code}" for code in CODES]
_PROBABILITIES = [f"probability_{code}" for code in CODES]
COLUMNS = ("image", "label", "source", "group", "fold", "width", "height", *_LOGITS, *_PROBABILITIES, "prediction")
"""The columns that every `predictions.csv` has."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Truth and answer for N pictures, column by column.

    Attributes:
        image: str `[N]`, identifiers; no two are equal.
        label: int64 `[N]`, true class 0–7.
        source: str `[N]`, the collection; empty if unknown.
        group: str `[N]`; pictures of one lesion share it.
        fold: int64 `[N]`; −1 for none.
        width: int64 `[N]`, upright width of the original in pixels.
        height: int64 `[N]`, its height.
        logits: float32 `[N, 8]`, before temperature and softmax.
        probabilities: float32 `[N, 8]`, calibrated.
        prediction: int64 `[N]`, the answer 0–8; 8 is "not confident".
        traits: N traits of people and pictures; None if they were not looked up.

    Raises:
        DataError: There are no pictures, an identifier repeats, the columns differ in length, or a value is out of
            range.
    """

    image: Strings
    label: Ints
    source: Strings
    group: Strings
    fold: Ints
    width: Ints
    height: Ints
    logits: Floats
    probabilities: Floats
    prediction: Ints
    traits: Traits | None = None

    def __post_init__(self) -> None:
        n = len(self.image)
        if n == 0:
            raise DataError("there are no predictions to score")
        columns = {f.name: getattr(self, f.name) for f in fields(self)}
        wrong = [name for name, column in columns.items() if column is not None and len(column) != n]
        if wrong:
            raise DataError(f"{', '.join(wrong)} must have as many rows as image ({n})")
        if self.logits.shape != (n, len(CODES)) or self.probabilities.shape != (n, len(CODES)):
            raise DataError(f"logits and probabilities must have {len(CODES)} columns, one per diagnosis")
        names, counts = np.unique(self.image, return_counts=True)
        if counts.max() > 1:
            raise DataError(f"picture {names[counts.argmax()]} occurs {counts.max()} times; each may occur once")
        self._check_ranges()

    def _check_ranges(self) -> None:
        if self.label.min() < 0 or self.label.max() >= len(CODES):
            raise DataError(f"labels must be 0–{len(CODES) - 1}")
        if self.prediction.min() < 0 or self.prediction.max() > NOT_CONFIDENT_INDEX:
            raise DataError(f"predictions must be 0–{NOT_CONFIDENT_INDEX}")
        if not np.isfinite(self.logits).all():
            raise DataError("every logit must be a finite number")
        sums = self.probabilities.sum(axis=1, dtype=np.float64)
        bad = ~((self.probabilities >= 0).all(axis=1) & (np.abs(sums - 1.0) < 1e-3))
        if bad.any():
            raise DataError(
                f"probabilities must be 0 or more and sum to 1; those of {self.image[bad.argmax()]} do not "
                f"(and of {int(bad.sum()) - 1} others)"
            )

    def __len__(self) -> int:
        return len(self.image)

    @property
    def top(self) -> Ints:
        """The most probable class 0–7, also where the answer is "not confident": int64 `[N]`."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @property
    def confidence(self) -> npt.NDArray[np.float64]:
        """The highest probability: float64 `[N]`."""
        return np.asarray(self.probabilities.max(axis=1), dtype=np.float64)

    @property
    def malignant(self) -> npt.NDArray[np.bool_]:
        """Whether the true class is malignant: bool `[N]`."""
        return np.isin(self.label, MALIGNANT_INDEXES)

    @property
    def short_side(self) -> Ints:
        """The shorter side in pixels: int64 `[N]`."""
        return np.minimum(self.width, self.height)

    def subset(self, mask: npt.NDArray[np.bool_]) -> Predictions:
        """Return the pictures where `mask` (bool `[N]`) is true."""
        columns: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "traits"}
        return Predictions(
            **{name: column[mask] for name, column in columns.items()},
            traits=self.traits.subset(mask) if self.traits is not None else None,
        )

    def to_csv(self) -> bytes:
        """Return the CSV file; reading it gives back equal arrays, to the last bit."""
        columns: dict[str, Any] = {
            "image": self.image,
            "label": [CODES[k] for k in self.label],
            "source": self.source,
            "group": self.group,
            "fold": [int(f) if f >= 0 else "" for f in self.fold],
            "width": self.width,
            "height": self.height,
            **dict(zip(_LOGITS, self.logits.T, strict=True)),
            **dict(zip(_PROBABILITIES, self.probabilities.T, strict=True)),
            "prediction": [diagnosis(int(k)).code for k in self.prediction],
            **(self.traits.columns() if self.traits is not None else {}),
        }
        return pd.DataFrame(columns).to_csv(index=False, lineterminator="\n").encode()

    @classmethod
    def read_csv(cls, path: Path) -> Predictions:
        """Read a `predictions.csv`.

        Raises:
            DataError: There is no such file, it lacks a column, or it has a value that is not accepted.
        """
        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        except OSError as error:
            raise DataError(f"cannot read {path.name}: {error.strerror}") from error
        except (ValueError, pd.errors.ParserError) as error:
            raise DataError(f"{path.name} is not a CSV file: {error}") from error
        missing = [column for column in COLUMNS if column not in table.columns]
        if missing:
            raise DataError(f"{path.name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}")
        return cls(
            image=table["image"].to_numpy(dtype=np.str_),
            label=_codes(table["label"], path.name),
            source=table["source"].to_numpy(dtype=np.str_),
            group=table["group"].to_numpy(dtype=np.str_),
            fold=_numbers(table[["fold"]].replace("", "-1"), path.name, np.int64)[:, 0],
            width=_numbers(table[["width"]], path.name, np.int64)[:, 0],
            height=_numbers(table[["height"]], path.name, np.int64)[:, 0],
            logits=_numbers(table[_LOGITS], path.name, np.float32),
            probabilities=_numbers(table[_PROBABILITIES], path.name, np.float32),
            prediction=_codes(table["prediction"], path.name, answers=True),
            traits=Traits.of(table, path.name),
        )


def _numbers(table: pd.DataFrame, name: str, dtype: type[Any]) -> npt.NDArray[Any]:
    try:
        return table.to_numpy(dtype=np.str_).astype(dtype)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{name}, columns {table.columns[0]} … {table.columns[-1]}: {error}") from error


def _codes(column: pd.Series[str], name: str, *, answers: bool = False) -> Ints:
    indexes = []
    for line, code in enumerate(column, start=2):
        try:
            indexes.append(BY_CODE[code if answers and code in BY_CODE else canonical_code(code)].index)
        except KeyError as error:
            raise DataError(f"{name}, line {line}, column {column.name}: {error.args[0]}") from error
    return np.array(indexes, dtype=np.int64)
