"""Writing results row by row to CSV, JSON or an HTML page; a file appears when it is whole, or not at all."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TextIO, get_args

from lesionlens import DISCLAIMER
from lesionlens.bulk.page import page_card, page_end, page_start
from lesionlens.bulk.result import Count, Result
from lesionlens.doubt import as_quality, as_suitability
from lesionlens.taxonomy import CODES

__all__ = ["FORMATS", "Format", "ResultWriter", "open_writer"]

Format = Literal["csv", "json", "html"]
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
_NOTICE: Final = "Research tool, not a diagnosis"
# A spreadsheet runs a cell that begins so as a formula (OWASP, "CSV Injection"); the last four are full-width forms.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class ResultWriter(Protocol):
    """Takes results one by one."""

    def write(self, result: Result) -> None:
        """Write a result."""
        ...


@contextmanager
def open_writer(target: Path | None, format_: Format, model: dict[str, Any]) -> Iterator[ResultWriter]:
    """Open a writer of results.

    Args:
        target: The file, written under another name until the writer is closed without an error; a pipe or a device,
            written to directly; or None for standard output.
        format_: `csv`, `json` or `html`.
        model: What the results must be kept with (`Classifier.description`).

    Raises:
        OSError: The file cannot be written.
    """
    kinds: dict[str, type[_CsvWriter | _JsonWriter | _HtmlWriter]]
    kinds = {"csv": _CsvWriter, "json": _JsonWriter, "html": _HtmlWriter}
    with _stdout() if target is None else _whole_file(target) as stream:
        writer = kinds[format_](stream, model)
        yield writer
        writer.end()


@contextmanager
def _stdout() -> Iterator[TextIO]:
    yield sys.stdout
    sys.stdout.flush()


@contextmanager
def _whole_file(target: Path) -> Iterator[TextIO]:
    if target.exists() and not target.is_file():  # a pipe or a device is written to, not replaced
        with target.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    target = target.resolve()  # a link stays, the file that it leads to is replaced
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


class _CsvWriter:
    def __init__(self, stream: TextIO, model: dict[str, Any]) -> None:
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
                "notice": _NOTICE,
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
    def __init__(self, stream: TextIO, model: dict[str, Any]) -> None:
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
    def __init__(self, stream: TextIO, model: dict[str, Any]) -> None:
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
