"""Writing results row by row to CSV, JSON, Parquet or an HTML page; a file appears when it is whole, or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, BinaryIO, Final, Literal, Protocol, get_args

from lesionlens import DISCLAIMER
from lesionlens.bulk.outputs import open_output
from lesionlens.bulk.page import page_card, page_end, page_start
from lesionlens.bulk.result import NOTICE, Count, Result
from lesionlens.bulk.storage import Place
from lesionlens.doubt import as_quality, as_suitability
from lesionlens.taxonomy import CODES

__all__ = ["FORMATS", "Format", "ResultWriter", "open_writer", "render"]

Format = Literal["csv", "json", "html", "parquet"]
FORMATS: Final[tuple[str, ...]] = get_args(Format)

_COLUMNS: Final = (
    "file",
    "error",
    "code",
    "answer",
    "nearest",
    "confidence",
    "malignant_probability",
    *(f"probability_{code}" for code in CODES),
    "width",
    "height",
    "overlay",
    "model",
    "model_version",
    "notice",
    "confident",
    "decided_by",
    "prediction_set",
    "coverage",
    "suitable",
    "suitability_score",
    "suitability_threshold",
    "reasons",
    "hints",
)
# A spreadsheet runs a cell that begins so as a formula (OWASP, "CSV Injection"); the last four are full-width forms.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class ResultWriter(Protocol):
    """Takes results one by one."""

    def write(self, result: Result) -> None:
        """Write a result."""
        ...

    def end(self) -> None:
        """Write what comes after the last result."""
        ...


@contextmanager
def open_writer(target: Place | None, format_: Format, model: dict[str, Any]) -> Iterator[ResultWriter]:
    """Open a writer of results.

    Args:
        target: The file, written under another name until the writer is closed without an error; a pipe or a device,
            written to directly; a URL, which gets the whole file at the end; or None for standard output.
        format_: `csv`, `json`, `html` or `parquet`.
        model: What the results must be kept with (`Classifier.description`).

    Raises:
        OSError: The file cannot be written.
        BulkError: Parquet was asked for, which an extra writes.
    """
    with open_output(target) as stream:
        writer = _writer(stream, format_, model)
        yield writer
        writer.end()


def render(results: Iterable[Result], format_: Format, model: dict[str, Any]) -> bytes:
    """Return the file that `open_writer` would write.

    Args:
        results: The results, in order.
        format_: `csv`, `json`, `html` or `parquet`.
        model: What the results must be kept with (`Classifier.description`).

    Raises:
        BulkError: Parquet was asked for, which an extra writes.
    """
    stream = io.BytesIO()
    writer = _writer(stream, format_, model)
    for result in results:
        writer.write(result)
    writer.end()
    return stream.getvalue()


def _writer(stream: BinaryIO, format_: Format, model: dict[str, Any]) -> ResultWriter:
    if format_ == "parquet":
        from lesionlens.bulk.parquet import ParquetWriter

        return ParquetWriter(stream, model)
    kinds: dict[str, type[_CsvWriter | _JsonWriter | _HtmlWriter]]
    kinds = {"csv": _CsvWriter, "json": _JsonWriter, "html": _HtmlWriter}
    return kinds[format_](_Text(stream), model)


class _Text:
    """Writes text to a binary stream, and leaves closing it to its owner."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text.encode("utf-8"))


class _CsvWriter:
    def __init__(self, stream: _Text, model: dict[str, Any]) -> None:
        self._rows = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
        self._model = model
        self._rows.writeheader()

    def write(self, result: Result) -> None:
        row: dict[str, object] = dict.fromkeys(_COLUMNS, "")
        row |= {"file": _cell(result.file), "model": self._model["name"], "model_version": self._model["version"]}
        if result.error is not None:
            row["error"] = _cell(result.error)
        else:
            row |= {
                "code": result.code,
                "answer": result.answer,
                "nearest": result.nearest,
                "confidence": f"{result.confidence:.6f}",
                "malignant_probability": f"{result.malignant_probability:.6f}",
                **{f"probability_{code}": f"{p:.6f}" for code, p in result.probabilities.items()},
                "width": result.width,
                "height": result.height,
                "overlay": _cell(result.overlay),
                "notice": NOTICE,
                "confident": _yes_or_no(result.confident),
                "decided_by": result.decided_by,
                "reasons": " ".join(result.reasons),
                "hints": " ".join(result.hints),
            }
            if result.prediction_set is not None:
                row |= {"prediction_set": " ".join(result.prediction_set), "coverage": result.coverage}
            if result.suitability is not None:
                row |= {
                    "suitable": _yes_or_no(result.suitable),
                    "suitability_score": f"{result.suitability.score:.6g}",
                    "suitability_threshold": f"{result.suitability.threshold:.6g}",
                }
        self._rows.writerow(row)

    def end(self) -> None:
        pass  # a CSV file has no end


class _JsonWriter:
    def __init__(self, stream: _Text, model: dict[str, Any]) -> None:
        self._stream = stream
        self._count = Count()
        start = json.dumps({"disclaimer": DISCLAIMER, "model": model}, indent=2, ensure_ascii=False)
        stream.write(start.removesuffix("\n}") + ',\n  "results": [')

    def write(self, result: Result) -> None:
        self._stream.write(",\n    " if self._count.files else "\n    ")
        self._stream.write(json.dumps(_as_json(result), ensure_ascii=False))
        self._count.add(result)

    def end(self) -> None:
        summary = json.dumps(asdict(self._count))
        self._stream.write(f'\n  ],\n  "summary": {summary}\n}}\n')


class _HtmlWriter:
    def __init__(self, stream: _Text, model: dict[str, Any]) -> None:
        self._stream = stream
        self._count = Count()
        stream.write(page_start(model))

    def write(self, result: Result) -> None:
        self._stream.write(page_card(result))
        self._count.add(result)

    def end(self) -> None:
        self._stream.write(page_end(self._count))


def _as_json(result: Result) -> dict[str, Any]:
    if result.error is not None:
        return {"file": result.file, "error": result.error}
    return {
        "file": result.file,
        "error": None,
        "code": result.code,
        "answer": result.answer,
        "nearest": result.nearest,
        "confidence": round(result.confidence, 6),
        "malignant_probability": round(result.malignant_probability, 6),
        "probabilities": {code: round(p, 6) for code, p in result.probabilities.items()},
        "width": result.width,
        "height": result.height,
        "overlay": result.overlay or None,
        "confident": result.confident,
        "decided_by": result.decided_by,
        "prediction_set": (
            None
            if result.prediction_set is None
            else {"coverage": result.coverage, "codes": list(result.prediction_set)}
        ),
        "suitability": as_suitability(result.suitability),
        "quality": None if result.quality is None else as_quality(result.quality),
    }


def _yes_or_no(value: bool) -> str:
    return "true" if value else "false"


def _cell(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
