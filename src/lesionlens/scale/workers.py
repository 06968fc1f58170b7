"""The worker of a bulk run: an actor that holds one model and classifies parts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from lesionlens.bulk.classify import Options, classify_entries
from lesionlens.bulk.entry import Entry
from lesionlens.bulk.run import pack
from lesionlens.bulk.storage import as_place
from lesionlens.classifier import Classifier
from lesionlens.errors import BulkError
from lesionlens.version import __version__

__all__ = ["Order", "PartWorker", "as_row"]


class Order(NamedTuple):
    """What a worker is told once.

    Attributes:
        engine: Inference engine by name.
        precision: Arithmetic of its matrix products.
        threads: Compute threads, which are also the CPUs that Ray sets aside for the worker.
        tta: Views of a picture.
        options: How pictures are classified; `base` is set, since workers have working folders of their own.
        model: What the driver says of its model (`Classifier.description`).
        version: The driver's version of this package.
    """

    engine: str
    precision: str
    threads: int
    tta: int
    options: Options
    model: dict[str, Any]
    version: str = __version__


def as_row(index: int, entries: Sequence[Entry]) -> dict[str, Any]:
    """Return a part as a row of a Ray data set."""
    listed = [(str(e.place), None if e.heatmap is None else str(e.heatmap), e.error) for e in entries]
    return {"index": index, "entries": json.dumps(listed)}


class PartWorker:
    """Classifies parts; Ray Data makes one in each of its actors.

    Args:
        order: What to do.
        bundle: A list with a reference to the model's `ShippedBundle` in Ray's object store; Ray would resolve a bare
            one for the driver.
    """

    def __init__(self, order: Order, bundle: list[Any]) -> None:
        import ray

        self._order = order
        shipped = ray.get(bundle[0]).unpack()
        self._classifier = Classifier(
            shipped, engine=order.engine, precision=order.precision, threads=order.threads, tta=order.tta
        )

    def __call__(self, table: Any) -> Any:
        """Classify the parts in a table.

        Args:
            table: pyarrow table with rows of `as_row`.

        Returns:
            pyarrow table with `index`, and `results` as `pack` makes them.

        Raises:
            BulkError: This machine would give other results than the driver's.
        """
        import pyarrow as arrow

        self._check()
        packed = []
        for text in table.column("entries").to_pylist():
            entries = [Entry(as_place(p), None if h is None else as_place(h), e) for p, h, e in json.loads(text)]
            packed.append(pack(list(classify_entries(self._classifier, entries, self._order.options))))
        return arrow.table({"index": table.column("index"), "results": arrow.array(packed, arrow.binary())})

    def _check(self) -> None:
        here = {"LesionLens": __version__, **self._classifier.description}
        there = {"LesionLens": self._order.version, **self._order.model}
        differs = [
            f"{name} is {here[name]}, the driver's {value}" for name, value in there.items() if here[name] != value
        ]
        if differs:
            what = "; ".join(differs)
            raise BulkError(f"a worker would give other results: {what}; install the same on all machines")
