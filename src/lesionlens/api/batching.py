"""One thread that computes: it takes the photos that are waiting and runs them through the network together."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lesionlens.api.metrics import Metrics
from lesionlens.api.tracing import here
from lesionlens.classifier import Analysis, Classifier
from lesionlens.imaging.appearance import Appearance

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
        began: When that pass began, in seconds of `time.perf_counter`.
        companions: Where the other photos of the batch are traced (`lesionlens.api.tracing.here`).
    """

    analysis: Analysis
    queue_seconds: float
    inference_seconds: float
    batch_size: int
    began: float = 0.0
    companions: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class _Item:
    tensor: FloatArray
    size: tuple[int, int]
    look: Appearance | None
    future: Future[Computed]
    arrived: float
    traced: Any = None


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
        self._pass_began: float | None = None
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

    def is_stuck(self, seconds: float) -> bool:
        """Say whether the thread will probably never compute again.

        Args:
            seconds: How long a forward pass may take; 0 for as long as it likes.
        """
        began = self._pass_began  # another thread may change it at any moment
        if began is not None and 0 < seconds < time.perf_counter() - began:
            return True
        return self._thread.ident is not None and not self._thread.is_alive() and not self._closing

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

    def submit(self, tensor: FloatArray, size: tuple[int, int], look: Appearance | None = None) -> Future[Computed]:
        """Queue one photo.

        Args:
            tensor: float32 `[3, size, size]`, from `preprocess`.
            size: `(width, height)` of the upright photo in pixels.
            look: What was measured on its pixels; None has it measured here.

        Returns:
            A future; cancelling it takes the photo out of the queue unless it is already being computed.

        Raises:
            RuntimeError: The worker is closed.
        """
        item = _Item(tensor, size, look, Future(), time.perf_counter(), here())
        with self._changed:
            if self._closing:
                raise RuntimeError("the compute thread has been closed")
            # Where a pass hangs, the photos of those who gave up would gather here without a bound.
            if any(waiting.future.cancelled() for waiting in self._queue):
                self._queue = deque(waiting for waiting in self._queue if not waiting.future.cancelled())
            self._queue.append(item)
            self._changed.notify_all()
        return item.future

    def _remember(self, seconds: float) -> None:
        """Take the compute time of a photo into the moving average."""
        self._seconds_per_photo = 0.8 * self._seconds_per_photo + 0.2 * seconds if self._seconds_per_photo else seconds

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            if batch:
                self._pass_began = time.perf_counter()
                self._compute(batch)
                self._pass_began = None

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
                np.stack([item.tensor for item in batch]),
                [item.size for item in batch],
                [item.look for item in batch],
            )
        except Exception as error:  # whatever it is, those who wait for it must hear of it, and the thread must live
            for item in batch:
                item.future.set_exception(error)
            return
        seconds = time.perf_counter() - started
        self._remember(seconds / len(batch))
        self._metrics.batch_size.observe(len(batch))
        self._metrics.inference_seconds.observe(seconds)
        for item, analysis in zip(batch, analyses, strict=True):
            others = tuple(other.traced for other in batch if other is not item and other.traced is not None)
            waited = started - item.arrived
            item.future.set_result(Computed(analysis, waited, seconds, len(batch), started, others))
