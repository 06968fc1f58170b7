"""One thread that computes: it takes the photos that are waiting and runs them through the network together."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lesionlens.api.metrics import Metrics
from lesionlens.classifier import Analysis, Classifier

__all__ = ["BatchWorker", "Computed"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Computed:
    """What came of one photo.

    Attributes:
        analysis: The model's answer.
        queue_seconds: How long the photo waited.
        inference_seconds: How long the forward pass of its batch took.
        batch_size: How many photos were in that batch.
    """

    analysis: Analysis
    queue_seconds: float
    inference_seconds: float
    batch_size: int


@dataclass(frozen=True, slots=True)
class _Item:
    tensor: FloatArray
    size: tuple[int, int]
    future: Future[Computed]
    arrived: float


class BatchWorker:
    """Computes in a thread of its own, so that the event loop never does.

    The queue has no bound of its own: the service admits no more than it may hold.

    Args:
        classifier: What computes.
        metrics: Where batch sizes and times are counted.
        max_batch: Most photos in one forward pass.
        delay_seconds: How long to wait for a batch to fill; 0 takes what is there.
    """

    def __init__(self, classifier: Classifier, metrics: Metrics, *, max_batch: int, delay_seconds: float = 0.0) -> None:
        self._classifier = classifier
        self._metrics = metrics
        self._max_batch = max_batch
        self._delay = delay_seconds
        self._queue: deque[_Item] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._seconds_per_photo = 0.0
        self._thread = threading.Thread(target=self._run, name="lesionlens-compute", daemon=True)

    @property
    def depth(self) -> int:
        """How many photos are waiting, those whose client went away not counted."""
        with self._changed:
            return sum(not item.future.cancelled() for item in self._queue)

    @property
    def seconds_per_photo(self) -> float:
        """Moving average of the compute time of a photo; 0 before the first."""
        return self._seconds_per_photo

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Finish everything that was submitted, then stop the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, tensor: FloatArray, size: tuple[int, int]) -> Future[Computed]:
        """Queue one photo.

        Args:
            tensor: float32 `[3, size, size]`, from `preprocess`.
            size: `(width, height)` of the upright photo in pixels.

        Returns:
            A future; cancelling it takes the photo out of the queue unless it is already being computed.

        Raises:
            RuntimeError: The worker is closed.
        """
        item = _Item(tensor, size, Future(), time.perf_counter())
        with self._changed:
            if self._closing:
                raise RuntimeError("the compute thread has been closed")
            self._queue.append(item)
            self._changed.notify_all()
        return item.future

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            if batch:
                self._compute(batch)

    def _take(self) -> list[_Item] | None:
        """Wait for photos; an empty list if all were cancelled, None when there is nothing left to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            if not self._queue:
                return None
            if self._delay:
                self._changed.wait_for(lambda: len(self._queue) >= self._max_batch or self._closing, self._delay)
            batch: list[_Item] = []
            while self._queue and len(batch) < self._max_batch:
                item = self._queue.popleft()
                if item.future.set_running_or_notify_cancel():
                    batch.append(item)
            return batch

    def _compute(self, batch: list[_Item]) -> None:
        started = time.perf_counter()
        try:
            analyses = self._classifier.analyse_tensors(
                np.stack([item.tensor for item in batch]), [item.size for item in batch]
            )
        except Exception as error:  # whatever it is, those who wait for it must hear of it, and the thread must live
            for item in batch:
                item.future.set_exception(error)
            return
        seconds = time.perf_counter() - started
        share = seconds / len(batch)
        self._seconds_per_photo = 0.8 * self._seconds_per_photo + 0.2 * share if self._seconds_per_photo else share
        self._metrics.batch_size.observe(len(batch))
        self._metrics.inference_seconds.observe(seconds)
        for item, analysis in zip(batch, analyses, strict=True):
            item.future.set_result(Computed(analysis, started - item.arrived, seconds, len(batch)))
