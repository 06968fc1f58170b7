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
import numpy.typing as npt
from PIL import Image

from lesionlens.attention import overlay
from lesionlens.bulk.result import Result, printable
from lesionlens.classifier import Analysis, Classifier
from lesionlens.errors import ImageError
from lesionlens.imaging import Limits, decode
from lesionlens.imaging.preprocess import PreprocessSpec, preprocess
from lesionlens.inference.threads import usable_cpus

__all__ = ["OVERLAY_MAX_SIDE", "classify_files"]

OVERLAY_MAX_SIDE: Final = 512
"""Longest side in pixels of heatmaps on disk, that of the SkinTracker contract."""
_THUMBNAIL_SIDE: Final = 320


@dataclass(frozen=True, slots=True)
class _Prepared:
    file: Path
    error: str | None = None
    tensor: npt.NDArray[np.float32] | None = None
    decoded_size: tuple[int, int] = (0, 0)
    full_size: tuple[int, int] = (0, 0)
    shown: Image.Image | None = None


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

    At most two batches of pictures are in memory, each already shrunk to the network's input. A file that cannot be
    read or decoded gives a result with an error, and the others go on.

    Args:
        classifier: The model.
        files: The files, as many as you like.
        batch_size: Pictures in one call of the engine, at least 1.
        class_index: Class 0–7 that heatmaps explain; None for each picture's most probable one.
        overlays: Folder for heatmaps over the pictures (PNG, longest side 512 pixels), made if it is missing.
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
    names = _Names(overlays) if overlays is not None else None
    with_picture = thumbnails or names is not None

    def prepare(file: Path) -> _Prepared:
        return _prepare(file, spec, bounds, with_picture)

    stream = _ahead(files, prepare, 2 * batch_size)
    while batch := list(islice(stream, batch_size)):
        whole = [p for p in batch if p.tensor is not None]
        analyses = iter(_analyse(classifier, whole))
        for prepared in batch:
            if prepared.error is not None:
                yield Result(printable(prepared.file), error=prepared.error)
            else:
                yield _result(prepared, next(analyses), class_index, names, thumbnails)


def _analyse(classifier: Classifier, whole: list[_Prepared]) -> list[Analysis]:
    tensors = [p.tensor for p in whole if p.tensor is not None]
    return classifier.analyse_tensors(np.stack(tensors), [p.decoded_size for p in whole]) if tensors else []


def _prepare(file: Path, spec: PreprocessSpec, limits: Limits, with_picture: bool) -> _Prepared:
    try:
        if not file.is_file():  # opening a pipe would wait for ever
            return _Prepared(file, error="there is no such file")
        limits.check_bytes(file.stat().st_size)
        data = file.read_bytes()
        # The same bound with and without heatmaps, and as in the service, so that the answer is always the same.
        photo = decode(data, limits=limits, min_side=max(spec.decode_side, OVERLAY_MAX_SIDE))
    except ImageError as error:
        return _Prepared(file, error=str(error))
    except OSError as error:
        return _Prepared(file, error=f"the file cannot be read: {error.strerror or type(error).__name__}")
    shown = None
    if with_picture:
        shown = photo.image.copy()
        shown.thumbnail((OVERLAY_MAX_SIDE, OVERLAY_MAX_SIDE), Image.Resampling.BILINEAR)
    return _Prepared(
        file,
        tensor=preprocess(photo.image, spec),
        decoded_size=photo.image.size,
        full_size=(photo.width, photo.height),
        shown=shown,
    )


def _ahead(files: Iterable[Path], prepare: Callable[[Path], _Prepared], window: int) -> Iterator[_Prepared]:
    """Prepare files in threads, at most `window` of them before they are taken."""
    pending: deque[Future[_Prepared]] = deque()
    pool = ThreadPoolExecutor(max(1, min(4, usable_cpus() // 2)), thread_name_prefix="decode")
    try:
        for file in files:
            pending.append(pool.submit(prepare, file))
            if len(pending) >= window:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _result(
    prepared: _Prepared, analysis: Analysis, class_index: int | None, names: _Names | None, thumbnails: bool
) -> Result:
    path, photo_jpeg, overlay_jpeg = "", b"", b""
    if prepared.shown is not None:
        class_map = analysis.maps[analysis.top if class_index is None else class_index]
        if names is not None:
            target = names.new(prepared.file)
            target.write_bytes(analysis.overlay_png(prepared.shown, class_index))
            path = printable(target)
        if thumbnails:
            photo_jpeg = _jpeg(prepared.shown)
            overlay_jpeg = _jpeg(overlay(prepared.shown, class_map, box=analysis.seen_box, max_side=_THUMBNAIL_SIDE))
    return Result.of(
        prepared.file,
        analysis,
        prepared.full_size,
        overlay=path,
        photo_jpeg=photo_jpeg,
        overlay_jpeg=overlay_jpeg,
    )


def _jpeg(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


class _Names:
    """Names for heatmaps: that of the picture, numbered where two pictures share one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._taken: set[str] = set()

    def new(self, file: Path) -> Path:
        name, number = file.stem, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{file.stem}-{number}"
        self._taken.add(name.casefold())
        return self._folder / f"{name}.png"
