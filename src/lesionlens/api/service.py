"""From the bytes of a photo to its analysis and heatmaps, without ever blocking the event loop."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import math
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from lesionlens.api.admission import Admission
from lesionlens.api.batching import BatchWorker, Computed
from lesionlens.api.metrics import Metrics
from lesionlens.api.tracing import record, span
from lesionlens.classifier import Analysis, Classifier
from lesionlens.imaging import Limits
from lesionlens.prepare import Prepared, prepare
from lesionlens.settings import Settings

__all__ = ["AnalysisService", "Outcome", "Timings"]


@dataclass(frozen=True, slots=True)
class Timings:
    """How long each step took, in milliseconds.

    Attributes:
        decode: Decoding and preparing the photo, waiting for a free thread included.
        queue: Waiting for the compute thread.
        inference: The forward pass of the batch that the photo was in.
        overlay: Drawing heatmaps.
        total: From the upload's end to now.
    """

    decode: float
    queue: float
    inference: float
    overlay: float
    total: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that is known of one photo.

    Attributes:
        analysis: The model's answer.
        width: Width of the upright original in pixels.
        height: Height of the upright original in pixels.
        format: `JPEG`, `PNG`, …
        overlays: PNG files by class index, of the classes that were asked for; one that failed is absent.
        timings: How long it took.
    """

    analysis: Analysis
    width: int
    height: int
    format: str
    overlays: Mapping[int, bytes]
    timings: Timings


class AnalysisService:
    """The way of a photo through the service: decoded in a small pool, computed in one thread, drawn in the pool.

    Args:
        classifier: What computes.
        settings: Limits and sizes.
        metrics: Where answers and times are counted.
        worker: What computes batches; None for a thread of this process.
    """

    def __init__(
        self, classifier: Classifier, settings: Settings, metrics: Metrics, worker: BatchWorker | None = None
    ) -> None:
        self._classifier = classifier
        self._settings = settings
        self._metrics = metrics
        self._limits = Limits(max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels)
        self._pool = ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="lesionlens-decode")
        self._helpers = ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="lesionlens-preview")
        self._log = logging.getLogger("lesionlens.api")
        self.worker = worker or BatchWorker(
            classifier, metrics, max_batch=settings.max_batch, delay_seconds=settings.batch_delay_ms / 1000
        )
        self.photos = Admission(settings.queue_size, "photos waiting")
        self.uploads = Admission(settings.max_uploads, "uploads under way")
        metrics.watch(lambda: self.worker.depth, lambda: self.photos.inside)

    def start(self) -> None:
        """Start the compute thread."""
        self.worker.start()

    def close(self) -> None:
        """Finish what was accepted and stop all threads; blocks until then."""
        self.worker.close()
        self._pool.shutdown(wait=True)
        self._helpers.shutdown(wait=True)

    async def warm_up(self) -> None:
        """Run one forward pass, so that the first photo does not pay for what engines do on their first call."""
        side = self._classifier.manifest.preprocessing.size
        blank = np.zeros((3, side, side), dtype=np.float32)
        await asyncio.wrap_future(self.worker.submit(blank, (side, side)))

    def retry_after(self) -> int:
        """Return the whole seconds, 1–60, after which a busy service is probably free."""
        return min(60, max(1, math.ceil(self.photos.inside * self.worker.seconds_per_photo)))

    async def analyse(self, data: bytes, draw: Callable[[Analysis], Collection[int]]) -> Outcome:
        """Analyse one photo.

        Args:
            data: The bytes of an untrusted image file.
            draw: Says for which classes, 0–7, a heatmap is drawn, once the answer is known.

        Raises:
            RequestError: Too many photos are waiting.
            ImageError: The photo cannot be used.
            EngineError: The engine failed.
        """
        begun = time.perf_counter()
        loop = asyncio.get_running_loop()
        with self.photos.enter(self.retry_after()):
            preparing = loop.run_in_executor(self._pool, self._prepare, data)
            del data  # the pool has it; a photo that waits for its answer need not keep its file
            with span("decode"):
                photo = await preparing
            decoded = time.perf_counter()
            computed = await asyncio.wrap_future(self.worker.submit(photo.tensor, photo.decoded_size, photo.look))
            drawing = time.perf_counter()
            self._trace(computed)
            wanted = draw(computed.analysis)
            overlays: dict[int, bytes] = {}
            if wanted and photo.preview is not None:
                context = contextvars.copy_context()  # so that a log line of the thread carries the request's id
                drawn = partial(context.run, self._draw, photo.preview, computed.analysis, wanted)
                with span("overlay", {"lesionlens.heatmaps": len(wanted)}):
                    overlays = await loop.run_in_executor(self._pool, drawn)
        done = time.perf_counter()
        self._metrics.answered(computed.analysis)
        self._metrics.staged(
            decode=decoded - begun,
            queue=computed.queue_seconds,
            inference=computed.inference_seconds,
            overlay=done - drawing,
        )
        return Outcome(
            analysis=computed.analysis,
            width=photo.width,
            height=photo.height,
            format=photo.format,
            overlays=overlays,
            timings=Timings(
                decode=1000 * (decoded - begun),
                queue=1000 * computed.queue_seconds,
                inference=1000 * computed.inference_seconds,
                overlay=1000 * (done - drawing),
                total=1000 * (done - begun),
            ),
        )

    def _trace(self, computed: Computed) -> None:
        """Trace what the compute thread did for a photo and those that it computed with it."""
        engine, began = self._classifier.engine_info, computed.began
        record("queue", began - computed.queue_seconds, began)
        record(
            "inference",
            began,
            began + computed.inference_seconds,
            {
                "lesionlens.batch_size": computed.batch_size,
                "lesionlens.engine": engine.name,
                "lesionlens.precision": engine.precision,
                "lesionlens.model": self._classifier.manifest.name,
            },
            links=computed.companions,
        )

    def _prepare(self, data: bytes) -> Prepared:
        spec, side = self._classifier.manifest.preprocessing, self._settings.gradcam_max_side
        return prepare(data, spec, limits=self._limits, preview_side=side, helpers=self._helpers)

    def _draw(self, preview: Image.Image, analysis: Analysis, wanted: Collection[int]) -> dict[int, bytes]:
        overlays: dict[int, bytes] = {}
        for index in wanted:
            try:
                overlays[index] = analysis.overlay_png(preview, index, helpers=self._helpers)
            except (OSError, ValueError, MemoryError):
                # The answer is worth more than its picture, and both surfaces define what a missing picture means.
                self._log.exception("the heatmap of class %d could not be drawn", index)
        return overlays
