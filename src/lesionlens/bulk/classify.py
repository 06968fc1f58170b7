"""Classifying files in batches, with the next pictures decoded while the network computes."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np
from PIL import Image

from lesionlens.attention import fit_within, overlay
from lesionlens.bulk.entry import Entry
from lesionlens.bulk.heatmaps import HeatmapNames
from lesionlens.bulk.result import Result, printable
from lesionlens.bulk.storage import Place, located, read, said, write
from lesionlens.classifier import Analysis, Classifier
from lesionlens.errors import ImageError
from lesionlens.imaging import Limits
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.threads import usable_cpus
from lesionlens.prepare import Prepared, prepare

__all__ = ["OVERLAY_MAX_SIDE", "Options", "classify_entries", "classify_files"]

OVERLAY_MAX_SIDE: Final = 512
"""Longest side in pixels that heatmaps on disk may have, that of the SkinTracker contract."""
_THUMBNAIL_SIDE: Final = 320
_READ_AT_ONCE: Final = 8  # from where a read is mostly waiting for an answer


@dataclass(frozen=True, slots=True)
class Options:
    """How pictures are classified; the same options give the same results.

    Attributes:
        batch_size: Pictures in one call of the engine, at least 1.
        class_index: Class 0–7 that heatmaps explain; None for each picture's most probable one.
        thumbnails: Whether results carry small JPEGs of the picture and the heatmap.
        limits: Largest accepted files and pictures.
        base: Absolute folder at which relative paths begin; empty for this process's own.

    Raises:
        ValueError: `batch_size` is below 1.
    """

    batch_size: int = 8
    class_index: int | None = None
    thumbnails: bool = False
    limits: Limits = field(default_factory=Limits)
    base: str = ""

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {self.batch_size}")


@dataclass(frozen=True, slots=True)
class _Item:
    entry: Entry
    content: Prepared | str
    """The picture, or in words why it cannot be used."""


def classify_files(
    classifier: Classifier,
    files: Iterable[Place],
    *,
    batch_size: int = 8,
    class_index: int | None = None,
    overlays: Place | None = None,
    thumbnails: bool = False,
    limits: Limits | None = None,
) -> Iterator[Result]:
    """Classify files one batch at a time, in order.

    At most two batches of pictures are in memory, each already shrunk to the network's input: the one being classified
    and the next. A file that cannot be read or decoded gives a result with an error, and the others go on.

    Args:
        classifier: The model.
        files: The files, as many as you like: paths of this machine, and URLs that fsspec knows.
        batch_size: Pictures in one call of the engine, at least 1.
        class_index: Class 0–7 that heatmaps explain; None for each picture's most probable one.
        overlays: Folder for heatmaps over the pictures (PNG, longest side at most 512 pixels), made if it is missing.
            Files that are there under a heatmap's name are replaced; `replaced_pictures` tells beforehand whether one
            of the pictures is among them.
        thumbnails: Whether results carry small JPEGs of the picture and the heatmap.
        limits: Largest accepted files and pictures.

    Yields:
        A result per file.

    Raises:
        EngineError: The engine failed; no file after it can be classified.
        OSError: A heatmap cannot be written.
        BulkError: What a URL needs is not installed.
        ValueError: `batch_size` is below 1.
    """
    options = Options(batch_size, class_index, thumbnails, limits or Limits())
    names = None if overlays is None else HeatmapNames(overlays)
    entries = (Entry(file, None if names is None else names.new(file)) for file in files)
    yield from classify_entries(classifier, entries, options)


def classify_entries(classifier: Classifier, entries: Iterable[Entry], options: Options) -> Iterator[Result]:
    """Classify pictures as `classify_files` does, which documents it; each entry says where its heatmap goes.

    Args:
        classifier: The model.
        entries: The pictures, as many as you like.
        options: How.
    """
    spec = classifier.manifest.preprocessing

    def load(entry: Entry) -> _Item:
        return _Item(entry, entry.error or _load(entry, spec, options))

    stream = _ahead(entries, load, options.batch_size)
    while batch := list(islice(stream, options.batch_size)):
        yield from _results(classifier, batch, options)
        del batch  # or a third one would be in memory while the next is gathered


def _results(classifier: Classifier, batch: list[_Item], options: Options) -> Iterator[Result]:
    whole = [item.content for item in batch if isinstance(item.content, Prepared)]
    sizes, looks = [picture.decoded_size for picture in whole], [picture.look for picture in whole]
    analyses = iter(classifier.analyse_tensors(np.stack([p.tensor for p in whole]), sizes, looks) if whole else [])
    rule = classifier.manifest.prediction_set
    coverage = None if rule is None else rule.coverage
    for item in batch:
        if isinstance(item.content, str):
            yield Result(printable(item.entry.place), error=item.content)
        else:
            yield _result(item.entry, item.content, next(analyses), coverage, options)


def _load(entry: Entry, spec: PreprocessSpec, options: Options) -> Prepared | str:
    drawn = options.thumbnails or entry.heatmap is not None
    try:
        data = read(located(entry.place, options.base), options.limits)
        return prepare(data, spec, limits=options.limits, preview_side=OVERLAY_MAX_SIDE if drawn else None)
    except ImageError as error:
        return str(error)
    except FileNotFoundError:
        return "there is no such file"
    except OSError as error:
        return f"the file cannot be read: {said(error)}"


def _ahead(entries: Iterable[Entry], load: Callable[[Entry], _Item], count: int) -> Iterator[_Item]:
    """Read files in threads, `count` of them ahead of those that were taken."""
    pending: deque[Future[_Item]] = deque()
    decoding = max(1, min(4, usable_cpus() // 2))
    pool = ThreadPoolExecutor(decoding, thread_name_prefix="decode")
    fetching: ThreadPoolExecutor | None = None
    try:
        for entry in entries:
            if isinstance(entry.place, str) and fetching is None:
                fetching = ThreadPoolExecutor(max(decoding, min(count, _READ_AT_ONCE)), thread_name_prefix="fetch")
            taken = fetching if fetching is not None and isinstance(entry.place, str) else pool
            pending.append(taken.submit(load, entry))
            if len(pending) > count:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        if fetching is not None:
            fetching.shutdown(cancel_futures=True)


def _result(entry: Entry, picture: Prepared, analysis: Analysis, coverage: float | None, options: Options) -> Result:
    photo_jpeg = overlay_jpeg = b""
    if picture.preview is not None:
        class_map = analysis.maps[analysis.top if options.class_index is None else options.class_index]
        if entry.heatmap is not None:
            drawn = analysis.overlay_png(picture.preview, options.class_index)
            write(located(entry.heatmap, options.base), drawn)
        if options.thumbnails:
            small = fit_within(picture.preview, _THUMBNAIL_SIDE)
            photo_jpeg, overlay_jpeg = _jpeg(small), _jpeg(overlay(small, class_map, box=analysis.seen_box))
    return Result.of(
        entry.place,
        analysis,
        (picture.width, picture.height),
        coverage=coverage,
        overlay="" if entry.heatmap is None else printable(entry.heatmap),
        photo_jpeg=photo_jpeg,
        overlay_jpeg=overlay_jpeg,
    )


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
