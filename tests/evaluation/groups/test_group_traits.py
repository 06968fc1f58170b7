"""The traits in `predictions.csv`: exact round trips, files without them, and clear words for what is wrong."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from group_data import traits, with_traits
from made_predictions import made, one_hot

from lesionlens.errors import DataError
from lesionlens.evaluation import Predictions, evaluate
from lesionlens.evaluation.traits import TRAIT_COLUMNS, Traits

PLAIN = made([0, 1, 2], one_hot([0, 1, 2]))


def test_reading_gives_back_every_trait(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    written = with_traits(
        PLAIN, sex=["female", "", "male"], age=[0, -1, 85], site=["", "head/neck", ""], ita=[51.123456, np.nan, -170.0]
    )
    path.write_bytes(written.to_csv())
    assert path.read_text().splitlines()[0].endswith(",prediction,sex,age,site,ita")
    read = Predictions.read_csv(path)
    assert read.traits is not None
    assert written.traits is not None
    for field in fields(Traits):
        before, after = getattr(written.traits, field.name), getattr(read.traits, field.name)
        np.testing.assert_array_equal(before, after)
        assert before.dtype.kind == after.dtype.kind
    assert read.to_csv() == written.to_csv()
    chosen = read.subset(np.array([True, False, True])).traits
    assert chosen is not None
    assert chosen.sex.tolist() == ["female", "male"]


def test_files_of_earlier_versions_have_no_traits_and_no_groups(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    path.write_bytes(PLAIN.to_csv())
    assert not set(TRAIT_COLUMNS) & set(path.read_text().splitlines()[0].split(","))
    read = Predictions.read_csv(path)
    assert read.traits is None
    assert read.subset(np.array([True, True, False])).traits is None
    assert evaluate(read, resamples=0).groups is None


def test_some_of_the_columns_will_do(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    header, *rows = PLAIN.to_csv().decode().splitlines()
    ages = ["40.0", "", " 7 "]
    path.write_text("\n".join([f"{header},age", *(f"{r},{a}" for r, a in zip(rows, ages, strict=True))]))
    read = Predictions.read_csv(path).traits
    assert read is not None
    assert read.age.tolist() == [40, -1, 7]
    assert read.sex.tolist() == ["", "", ""]
    assert np.isnan(read.ita).all()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("age", "old", r"predictions\.csv, column age: .*old.*accepted: numbers, or empty"),
        ("age", "131", "ages must be 0–130 years, or empty"),
        ("ita", "190", "ita must be an angle of −180 to 180 degrees"),
        ("ita", "inf", "ita must be an angle"),
    ],
)
def test_impossible_values_are_explained(tmp_path: Path, column: str, value: str, message: str) -> None:
    path = tmp_path / "predictions.csv"
    header, *rows = PLAIN.to_csv().decode().splitlines()
    path.write_text("\n".join([f"{header},{column}", *(f"{r},{value}" for r in rows)]))
    with pytest.raises(DataError, match=message):
        Predictions.read_csv(path)


def test_the_rows_must_match() -> None:
    with pytest.raises(DataError, match=r"traits must have as many rows as image \(3\)"):
        replace(PLAIN, traits=traits(2))
    with pytest.raises(DataError, match="sex, age, site, ita must have equally many rows"):
        replace(traits(3), age=np.array([1]))
