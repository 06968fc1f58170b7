"""What is known of the people and the pictures beside the diagnosis: what the figures are grouped by."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lesionlens.errors import DataError

__all__ = ["TRAIT_COLUMNS", "Traits"]

TRAIT_COLUMNS: Final = ("sex", "age", "site", "ita")
"""The columns that `predictions.csv` has after the others, where the traits were looked up."""
_OLDEST: Final = 130


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """Traits of N pictures, column by column; the number of rows is that of the predictions they belong to.

    Attributes:
        sex: str `[N]`, as the data's own files say it (`female`, `male`); empty if unknown.
        age: int64 `[N]`, years, as they say it (rounded to five in the ISIC archive); −1 if unknown.
        site: str `[N]`, part of the body (`head/neck`, …); empty if unknown.
        ita: float32 `[N]`, Individual Typology Angle of the skin in the picture, −180 to 180 degrees
            (`groups.tone.typology_angle`); NaN where no skin was found or nobody looked.

    Raises:
        DataError: The columns differ in length, or an age or angle is out of range.
    """

    sex: npt.NDArray[np.str_]
    age: npt.NDArray[np.int64]
    site: npt.NDArray[np.str_]
    ita: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if len({len(getattr(self, f.name)) for f in fields(self)}) > 1:
            raise DataError(f"{', '.join(TRAIT_COLUMNS)} must have equally many rows")
        if ((self.age < -1) | (self.age > _OLDEST)).any():
            raise DataError(f"ages must be 0–{_OLDEST} years, or empty if unknown")
        if np.isinf(self.ita).any() or (np.abs(self.ita) > 180).any():
            raise DataError("ita must be an angle of −180 to 180 degrees, or empty if unknown")

    def __len__(self) -> int:
        return len(self.sex)

    def subset(self, mask: npt.NDArray[np.bool_]) -> Traits:
        """Return the pictures where `mask` (bool `[N]`) is true."""
        return Traits(**{f.name: getattr(self, f.name)[mask] for f in fields(self)})

    def columns(self) -> dict[str, Any]:
        """Return the columns of the CSV file; what is unknown is empty."""
        return {
            "sex": self.sex,
            "age": [int(a) if a >= 0 else "" for a in self.age],
            "site": self.site,
            "ita": self.ita,
        }

    @classmethod
    def of(cls, table: pd.DataFrame, name: str) -> Traits | None:
        """Read the traits from a table of text.

        Args:
            table: Any of the columns `sex`, `age`, `site` and `ita`, among others; a missing one is unknown throughout.
            name: The file's name, for messages.

        Returns:
            The traits; None if the table has none of the columns.

        Raises:
            DataError: An age or an angle is not a number in its range.
        """
        if not set(TRAIT_COLUMNS) & set(table.columns):
            return None
        text = table.reindex(columns=list(TRAIT_COLUMNS), fill_value="")
        return cls(
            sex=text["sex"].str.strip().str.lower().to_numpy(dtype=np.str_),
            age=_numbers(text["age"], "-1", name, np.int64),
            site=text["site"].str.strip().str.lower().to_numpy(dtype=np.str_),
            ita=_numbers(text["ita"], "nan", name, np.float32),
        )


def _numbers(column: pd.Series[str], unknown: str, name: str, dtype: type[Any]) -> npt.NDArray[Any]:
    try:
        # By way of float64: pandas and spreadsheets like to write whole ages as 55.0.
        return column.str.strip().replace("", unknown).to_numpy(dtype=np.str_).astype(np.float64).astype(dtype)
    except ValueError as error:
        raise DataError(f"{name}, column {column.name}: {error}; accepted: numbers, or empty if unknown") from error
