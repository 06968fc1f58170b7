"""`predictions.csv` and `metrics.json`: exact round trips, and clear words for what cannot be read."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from made_predictions import made, one_hot

from lesionlens.errors import DataError
from lesionlens.evaluation import Metrics, Predictions, evaluate


def test_reading_gives_back_every_bit(mixed: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    unknown = replace(mixed, fold=np.where(np.arange(400) % 2, mixed.fold, -1))
    path.write_bytes(unknown.to_csv())
    read = Predictions.read_csv(path)
    for field in fields(Predictions):
        if field.name == "traits":  # looked up or not: groups/test_group_traits.py
            continue
        before, after = getattr(unknown, field.name), getattr(read, field.name)
        assert np.array_equal(before, after), field.name
        assert before.dtype.kind == after.dtype.kind


def test_the_file_names_diagnoses_by_code(tmp_path: Path) -> None:
    logits = np.vstack([one_hot([0]), np.zeros((1, 8))])
    header, first, second = made([0, 3], logits).to_csv().decode().splitlines()
    assert header.startswith("image,label,source,group,fold,width,height,logit_MEL,")
    assert first.split(",")[1] == first.split(",")[-1] == "MEL"
    assert second.split(",")[1] == "AKIEC"
    assert second.split(",")[-1] == "NOT_CONFIDENT"


def test_identifiers_that_look_like_numbers_or_gaps_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    predictions = replace(made([0, 1], one_hot([0, 1])), image=np.array(["007", "NA"]), source=np.array(["", "1.0"]))
    path.write_bytes(predictions.to_csv())
    read = Predictions.read_csv(path)
    assert read.image.tolist() == ["007", "NA"]
    assert read.source.tolist() == ["", "1.0"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",label,", ",lable,", "lacks the column label"),
        (",label,source,", ",lable,sauce,", "lacks the columns label, source"),
        (",MEL,", ",melanom,", "line 2, column label: unknown diagnosis 'melanom'"),
        (",600,", ",wide,", "columns width … width: invalid literal"),
        ("ISIC_0000001", "ISIC_0000000", "ISIC_0000000 occurs 2 times"),
    ],
)
def test_a_damaged_file_is_explained(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text(made([0, 1], one_hot([0, 1])).to_csv().decode().replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        Predictions.read_csv(path)


def test_files_that_are_no_predictions_are_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read nothing\.csv"):
        Predictions.read_csv(tmp_path / "nothing.csv")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(DataError, match="is not a CSV file"):
        Predictions.read_csv(tmp_path / "empty.csv")
    (tmp_path / "header.csv").write_bytes(made([0], one_hot([0])).to_csv().splitlines(keepends=True)[0])
    with pytest.raises(DataError, match="no predictions to score"):
        Predictions.read_csv(tmp_path / "header.csv")


def test_impossible_values_are_refused() -> None:
    good = made([0, 1], one_hot([0, 1]))
    for changes, message in (
        ({"label": np.array([0, 8])}, "labels must be 0–7"),
        ({"prediction": np.array([0, 9])}, "predictions must be 0–8"),
        ({"logits": np.full((2, 8), np.nan, np.float32)}, "every logit must be a finite number"),
        ({"probabilities": np.full((2, 8), 0.5, np.float32)}, "sum to 1; those of ISIC_0000000 do not"),
        ({"label": np.array([0])}, r"label must have as many rows as image \(2\)"),
        ({"logits": np.zeros((2, 9), np.float32)}, "must have 8 columns"),
    ):
        with pytest.raises(DataError, match=message):
            replace(good, **changes)


def test_metrics_can_be_read_again(mixed: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    metrics = evaluate(mixed, resamples=20, description="Made up.")
    path.write_text(metrics.model_dump_json())
    assert Metrics.load(path) == metrics


def test_metrics_of_another_version_are_refused(mixed: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    text = evaluate(mixed, resamples=0).model_dump_json()
    path.write_text(text.replace('"schema_version":1', '"schema_version":2'))
    with pytest.raises(DataError, match=r"no metrics file of schema version 1: 1 problem.*schema_version"):
        Metrics.load(path)
    with pytest.raises(DataError, match=r"cannot read other\.json"):
        Metrics.load(tmp_path / "other.json")
