"""Running what is missing of a run in parts, here or elsewhere, and making its results of the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from lesionlens.bulk.classify import Options, classify_entries
from lesionlens.bulk.entry import Entry
from lesionlens.bulk.parts import Parts
from lesionlens.bulk.result import Result
from lesionlens.classifier import Classifier
from lesionlens.errors import BulkError

__all__ = ["Part", "Runner", "classify_missing", "kept_results", "pack", "run_here", "unpack"]

Part = tuple[int, Sequence[Entry]]
"""Index and entries of a part."""
Runner = Callable[[Sequence[Part]], Iterator[tuple[int, list[Result]]]]
"""Classifies parts and gives each with its results, in whatever order they are done."""

# Every digit of every number comes back, and so do small pictures.
_PACKED: Final = TypeAdapter(
    list[Result], config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants")
)


def pack(results: list[Result]) -> bytes:
    """Return results as JSON, with all that they hold."""
    return _PACKED.dump_json(results)


def unpack(data: bytes) -> list[Result]:
    """Return the results that `pack` was given.

    Raises:
        ValueError: It is something else.
    """
    return _PACKED.validate_json(data)


def run_here(classifier: Classifier, options: Options, seen: Callable[[Result], object]) -> Runner:
    """Return what classifies parts in this process.

    Args:
        classifier: The model.
        options: How.
        seen: Told of each result as soon as there is one.
    """

    def run(parts: Sequence[Part]) -> Iterator[tuple[int, list[Result]]]:
        # One stream over all of them, or the network would wait at every part for its first pictures. A part is a whole
        # number of batches, so these are the batches that any other worker makes.
        stream = classify_entries(classifier, chain.from_iterable(entries for _, entries in parts), options)
        for index, entries in parts:
            results = []
            for result in islice(stream, len(entries)):
                seen(result)
                results.append(result)
            yield index, results

    return run


def classify_missing(parts: Parts, run: Runner, encode: Callable[[list[Result]], bytes], leave: Iterable[int]) -> None:
    """Classify the parts that are missing, and keep each as soon as it is done.

    Args:
        parts: The run.
        run: Classifies them.
        encode: Makes the file of a part.
        leave: Parts that are done.

    Raises:
        BulkError: Not all parts came back.
        OSError: A part cannot be kept.
    """
    left = frozenset(leave)
    missing = {index: parts.of(index) for index in range(parts.count) if index not in left}
    if not missing:
        return
    for index, results in run(list(missing.items())):
        if len(results) != len(missing[index]):
            raise BulkError(f"part {index} came back with {len(results)} results for {len(missing[index])} pictures")
        parts.put(index, encode(results))
        del missing[index]
    if missing:
        raise BulkError(f"{len(missing)} parts did not come back; run it again for them")


def kept_results(parts: Parts, indexes: Iterable[int]) -> Iterator[Result]:
    """Give the results of parts that were kept with `pack`.

    Args:
        parts: The run.
        indexes: Which parts.

    Raises:
        BulkError: A part is damaged.
        OSError: A part cannot be read.
    """
    for index in indexes:
        try:
            yield from unpack(parts.get(index))
        except (ValidationError, ValueError) as error:
            raise BulkError(f"{parts.name(index)} is damaged; remove it, and the same command makes it anew") from error
