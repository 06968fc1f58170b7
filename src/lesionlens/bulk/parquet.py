"""Results as Parquet: the columns of the CSV file, typed, with every digit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from lesionlens import DISCLAIMER
from lesionlens.bulk.result import NOTICE, Result
from lesionlens.errors import BulkError
from lesionlens.taxonomy import CODES

__all__ = ["ParquetWriter"]

_ROW_GROUP: Final = 16_384  # about 10 MB in memory before they are written

# What a column holds: its type, and its value for a result that has an answer.
_Value = Callable[[Result], Any]


class ParquetWriter:
    """Writes results to a Parquet file: the columns of the CSV file; `prediction_set`, `reasons` and `hints` are lists.

    Model and disclaimer are in the file's metadata too, under `lesionlens`.

    Args:
        stream: Where the file goes; it is not closed.
        model: What the results must be kept with (`Classifier.description`).

    Raises:
        BulkError: pyarrow is not installed.
    """

    def __init__(self, stream: BinaryIO, model: dict[str, Any]) -> None:
        try:
            import pyarrow as arrow
            import pyarrow.parquet as parquet
        except ImportError as error:
            raise BulkError(
                f"Parquet needs pyarrow ({error}); install it with: pip install 'lesionlens[parquet]'"
            ) from error
        about = {"lesionlens": json.dumps({"model": model, "disclaimer": DISCLAIMER})}
        self._model = model
        self._columns = _columns(arrow)
        self._schema = arrow.schema([(name, kind) for name, (kind, _) in self._columns.items()], metadata=about)
        self._as_table = arrow.Table.from_pylist
        self._writer = parquet.ParquetWriter(stream, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def write(self, result: Result) -> None:
        """Write a result."""
        row: dict[str, Any] = {"file": result.file, "error": result.error}
        if result.error is None:
            row |= {name: value(result) for name, (_, value) in self._columns.items() if value is not None}
        row |= {"model": self._model["name"], "model_version": self._model["version"], "notice": NOTICE}
        self._rows.append(row)
        if len(self._rows) >= _ROW_GROUP:
            self._flush()

    def end(self) -> None:
        """Write what comes after the last result."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._as_table(self._rows, schema=self._schema))
            self._rows.clear()


def _columns(arrow: Any) -> dict[str, tuple[Any, _Value | None]]:
    text, number, whole, yes_no = arrow.string(), arrow.float64(), arrow.int32(), arrow.bool_()
    several = arrow.list_(text)
    return {
        "file": (text, None),
        "error": (text, None),
        "code": (text, lambda r: r.code),
        "answer": (text, lambda r: r.answer),
        "nearest": (text, lambda r: r.nearest),
        "confidence": (number, lambda r: r.confidence),
        "malignant_probability": (number, lambda r: r.malignant_probability),
        **{f"probability_{code}": (number, _probability(code)) for code in CODES},
        "width": (whole, lambda r: r.width),
        "height": (whole, lambda r: r.height),
        "overlay": (text, lambda r: r.overlay or None),
        "model": (text, None),
        "model_version": (text, None),
        "notice": (text, None),
        "confident": (yes_no, lambda r: r.confident),
        "decided_by": (text, lambda r: r.decided_by),
        "prediction_set": (several, lambda r: None if r.prediction_set is None else list(r.prediction_set)),
        "coverage": (number, lambda r: r.coverage),
        "suitable": (yes_no, lambda r: None if r.suitability is None else r.suitable),
        "suitability_score": (number, lambda r: None if r.suitability is None else r.suitability.score),
        "suitability_threshold": (number, lambda r: None if r.suitability is None else r.suitability.threshold),
        "reasons": (several, lambda r: list(r.reasons)),
        "hints": (several, lambda r: list(r.hints)),
    }


def _probability(code: str) -> _Value:
    return lambda result: result.probabilities[code]
