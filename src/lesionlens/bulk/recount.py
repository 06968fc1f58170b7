"""Counting the results in files of parts that an earlier run left."""

from __future__ import annotations

import csv
import io
from typing import Any

from lesionlens.bulk.result import Count
from lesionlens.bulk.run import unpack
from lesionlens.errors import BulkError

__all__ = ["count_part"]


def count_part(data: bytes, suffix: str) -> Count:
    """Count the results in a part.

    Args:
        data: The file.
        suffix: Its ending: `json` for one made by `pack`, else the format of the results.

    Raises:
        BulkError: It is damaged.
    """
    count = Count()
    try:
        if suffix == "json":
            for result in unpack(data):
                count.add(result)
            return count
        for error, suitable in _parquet_cells(data) if suffix == "parquet" else _csv_cells(data):
            count.files += 1
            count.failed += bool(error)
            count.not_suitable += suitable in (False, "false")
    except (ValueError, KeyError) as error:
        raise BulkError(f"a part of the earlier run is damaged ({type(error).__name__}); use --restart") from error
    return count


def _csv_cells(data: bytes) -> list[tuple[Any, Any]]:
    rows = csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""))
    return [(row["error"], row["suitable"]) for row in rows]


def _parquet_cells(data: bytes) -> list[tuple[Any, Any]]:
    import pyarrow.parquet as parquet

    table = parquet.read_table(io.BytesIO(data), columns=["error", "suitable"])
    return list(zip(table.column("error").to_pylist(), table.column("suitable").to_pylist(), strict=True))
