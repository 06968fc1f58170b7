"""Results as Parquet: the columns of the CSV file, typed."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lesionlens import CODES, DISCLAIMER, Classifier
from lesionlens.bulk import Result, classify_files, open_writer
from lesionlens.bulk.recount import count_part
from lesionlens.bulk.writers import render
from lesionlens.errors import BulkError

parquet = pytest.importorskip(
    "pyarrow.parquet", reason="Parquet needs pyarrow, which the extras parquet and ray install"
)


@pytest.fixture
def results(classifier: Classifier, pictures: Path) -> list[Result]:
    (pictures / "bad.jpg").write_bytes(b"bad")
    return list(classify_files(classifier, sorted(pictures.glob("*.jpg"))))


def test_it_holds_what_the_csv_file_holds(classifier: Classifier, results: list[Result], tmp_path: Path) -> None:
    target = tmp_path / "results.parquet"
    with open_writer(target, "parquet", classifier.description) as writer:
        for result in results:
            writer.write(result)
        assert not target.exists()
    table = parquet.read_table(target)
    rows = csv.DictReader(io.StringIO(render(results, "csv", classifier.description).decode()))
    assert rows.fieldnames is not None
    assert table.column_names == list(rows.fieldnames)
    for row, text in zip(table.to_pylist(), rows, strict=True):
        for name, cell in text.items():
            value = row[name]
            if isinstance(value, list):
                assert " ".join(value) == cell
            elif isinstance(value, bool):
                assert str(value).lower() == cell
            elif isinstance(value, float):
                assert value == pytest.approx(float(cell), rel=1e-5, abs=1e-6)
            elif not (name == "notice" and not cell):  # CSV has none beside an error
                assert str(value if value is not None else "") == cell, name


def test_it_keeps_every_digit_and_says_what_it_is(classifier: Classifier, results: list[Result]) -> None:
    data = render(results, "parquet", classifier.description)
    table = parquet.read_table(io.BytesIO(data))
    for row, result in zip(table.to_pylist(), results, strict=True):
        if result.error is None:
            assert {code: row[f"probability_{code}"] for code in CODES} == result.probabilities
            assert row["error"] is None
        else:
            assert row["error"] == result.error
            assert row["confidence"] is row["reasons"] is None
    about = json.loads(table.schema.metadata[b"lesionlens"])
    assert about == {"model": classifier.description, "disclaimer": DISCLAIMER}
    assert data == render(results, "parquet", classifier.description)  # the same every time


def test_no_results_are_a_table_without_rows(classifier: Classifier) -> None:
    table = parquet.read_table(io.BytesIO(render([], "parquet", classifier.description)))
    assert (table.num_rows, table.num_columns) == (0, 30)


def test_many_results_are_written_in_groups(classifier: Classifier, results: list[Result]) -> None:
    data = render([results[0]] * 40_000, "parquet", classifier.description)
    assert parquet.ParquetFile(io.BytesIO(data)).num_row_groups == 3


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_parts_are_counted(classifier: Classifier, results: list[Result], format_: str) -> None:
    count = count_part(render(results, format_, classifier.description), format_)  # type: ignore[arg-type]
    assert (count.files, count.failed) == (9, 1)
    assert count.not_suitable == sum(not r.suitable for r in results)


def test_a_part_of_something_else_is_damaged() -> None:
    with pytest.raises(BulkError, match="damaged"):
        count_part(b"PAR1", "parquet")
    with pytest.raises(BulkError, match="damaged"):
        count_part(b"a,b\n1,2\n", "csv")


def test_without_pyarrow_the_extra_is_named(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['pyarrow']))\n"
        "from lesionlens.bulk import open_writer; from pathlib import Path\n"
        "with open_writer(Path(sys.argv[1]), 'parquet', {}): pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "r.parquet")], capture_output=True, text=True, check=False
    )
    assert "pip install 'lesionlens[parquet]'" in done.stderr
    assert list(tmp_path.iterdir()) == []
