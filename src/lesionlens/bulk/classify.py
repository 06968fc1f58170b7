"""Classifying files in batches, with the next pictures decoded while the network computes."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from lesionlens.attention import fit_within, overlay
from lesionlens.bulk.heatmaps import HeatmapNames
from lesionlens.bulk.result import Result, printable
from lesionlens.classifier import Analysis, Classifier
from lesionlens.errors import ImageError
from lesionlens.imaging import Limits
from lesionlens.imaging.preprocess import PreprocessSpec
from lesionlens.inference.threads import usable_cpus
from lesionlens.prepare import Prepared, prepare

__all__ = ["OVERLAY_MAX_SIDE", "classify_files"]

OVERLAY_MAX_SIDE: Final = 512
"""Longest side in pixels that heatmaps on disk may have, that of the SkinTracker contract."""
_THUMBNAIL_SIDE: Final = 320


@dataclass(frozen=True, slots=True)
class _Item:
    file: Path
    content: Prepared | str
    """The picture, or in words why it cannot be used."""


def classify_files(
    classifier: Classifier,
    files: Iterable[Path],
    *,
    batch_size: int = 8,
    class_index: int | None = None,
    overlays: Path | None = None,
    thumbnails: bool = False,
    limits: Limits | None = None,
) -> Iterator[Result]:
    """Classify files one batch at a time, in order.

    At most two batches of pictures are in memory, each already shrunk to the network's input: the one being classified
    and the next. A file that cannot be read or decoded gives a result with an error, and the others go on.

    Args:
        classifier: The model.
        files: The files, as many as you like.
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
        ValueError: `batch_size` is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    spec, bounds = classifier.manifest.preprocessing, limits or Limits()
    names = None
    if overlays is not None:
        overlays.mkdir(parents=True, exist_ok=True)
        names = HeatmapNames(overlays)
    preview_side = OVERLAY_MAX_SIDE if thumbnails or names is not None else None

    def read(file: Path) -> _Item:
        return _read(file, spec, bounds, preview_side)

    stream = _ahead(files, read, batch_size)
    while batch := list(islice(stream, batch_size)):
        yield from _results(classifier, batch, class_index, names, thumbnails)
        del batch  # or a third one would be in memory while the next is gathered


def _results(
    classifier: Classifier, batch: list[_Item], class_index: int | None, names: HeatmapNames | None, thumbnails: bool
) -> Iterator[Result]:
    whole = [item.content for item in batch if isinstance(item.content, Prepared)]
    sizes = [picture.decoded_size for picture in whole]
    analyses = iter(classifier.analyse_tensors(np.stack([p.tensor for p in whole]), sizes) if whole else [])
    rule = classifier.manifest.prediction_set
    coverage = None if rule is None else rule.coverage
    for item in batch:
        target = names.new(item.file) if names is not None else None
        if isinstance(item.content, str):
            yield Result(printable(item.file), error=item.content)
        else:
            yield _result(item.file, item.content, next(analyses), coverage, class_index, target, thumbnails)


def _read(file: Path, spec: PreprocessSpec, limits: Limits, preview_side: int | None) -> _Item:
    try:
        if not file.is_file():  # opening a pipe would wait for ever
            return _Item(file, "there is no such file")
        limits.check_bytes(file.stat().st_size)
        return _Item(file, prepare(file.read_bytes(), spec, limits=limits, preview_side=preview_side))
    except ImageError as error:
        return _Item(file, str(error))
    except OSError as error:
        return _Item(file, f"the file cannot be read: {error.strerror or type(error).__name__}")


def _ahead(files: Iterable[Path], read: Callable[[Path], _Item], count: int) -> Iterator[_Item]:
    """Read files in threads, `count` of them ahead of those that were taken."""
    pending: deque[Future[_Item]] = deque()
    pool = ThreadPoolExecutor(max(1, min(4, usable_cpus() // 2)), thread_name_prefix="decode")
    try:
        for file in files:
            pending.append(pool.submit(read, file))
            if len(pending) > count:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _result(
    file: Path,
    picture: Prepared,
    analysis: Analysis,
    coverage: float | None,
    class_index: int | None,
    target: Path | None,
    thumbnails: bool,
) -> Result:
    photo_jpeg = overlay_jpeg = b""
    if picture.preview is not None:
        class_map = analysis.maps[analysis.top if class_index is None else class_index]
        if target is not None:
            target.write_bytes(analysis.overlay_png(picture.preview, class_index))
        if thumbnails:
            small = fit_within(picture.preview, _THUMBNAIL_SIDE)
            photo_jpeg, overlay_jpeg = _jpeg(small), _jpeg(overlay(small, class_map, box=analysis.seen_box))
    return Result.of(
        file,
        analysis,
        (picture.width, picture.height),
        coverage=coverage,
        overlay=printable(target) if target is not None else "",
        photo_jpeg=photo_jpeg,
        overlay_jpeg=overlay_jpeg,
    )


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
