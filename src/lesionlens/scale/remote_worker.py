"""Stands where the service has its compute thread, and has replicas on other machines compute instead."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from typing import Any, Final, NamedTuple

from lesionlens.api.batching import BatchWorker, Computed, FloatArray
from lesionlens.api.metrics import Metrics
from lesionlens.classifier import Analysis, Classifier
from lesionlens.errors import EngineError
from lesionlens.imaging.appearance import Appearance
from lesionlens.inference.engines import EngineInfo, Outputs

__all__ = ["Answer", "ElsewhereEngine", "ReplicaWorker"]

_ATTEMPTS: Final = 5
_PAUSE: Final = 0.2  # seconds, doubled after each attempt: time for a replica to be missed, or to be started anew


class Answer(NamedTuple):
    """What a replica says of one photo.

    Attributes:
        analysis: The model's answer.
        seconds: How long the forward pass of its batch took.
        batch_size: How many photos were in that batch.
        first: Whether the photo was the first of them, so that each batch is counted once.
    """

    analysis: Analysis
    seconds: float
    batch_size: int
    first: bool


class ElsewhereEngine:
    """Says which engine the replicas compute in, for a process that only needs to know what a bundle's manifest says.

    Args:
        info: The replicas' engine.
    """

    def __init__(self, info: EngineInfo) -> None:
        self._info = info

    @property
    def info(self) -> EngineInfo:
        """Which engine this is."""
        return self._info

    def run(self, batch: FloatArray) -> Outputs:
        """Refuse: photos go to the replicas one by one, not through here.

        Raises:
            EngineError: Always.
        """
        raise EngineError(f"a batch of {len(batch)} was to be computed in the process that has the replicas compute")


class ReplicaWorker(BatchWorker):
    """Sends photos to replicas of the model; which of them, and in which batch, Ray Serve decides.

    An analysis depends on the photo alone, so a photo whose replica died is simply sent again.

    Args:
        classifier: Says what the replicas compute.
        metrics: Where batch sizes and times are counted.
        replicas: Handle of the deployment; `analyse` takes tensor, size and look, and answers an `Answer`.
        lost: Errors that mean that a replica died or cannot be reached.
    """

    def __init__(
        self, classifier: Classifier, metrics: Metrics, replicas: Any, lost: tuple[type[BaseException], ...]
    ) -> None:
        super().__init__(classifier, metrics, max_batch=1)
        self._replicas = replicas
        self._lost = lost
        self._asked: set[asyncio.Task[Computed]] = set()

    @property
    def depth(self) -> int:
        """How many photos are at replicas or on the way to them."""
        return len(self._asked)

    def is_stuck(self, seconds: float) -> bool:  # noqa: ARG002
        """Say no: Serve itself watches the replicas and starts anew those that hang."""
        return False

    def start(self) -> None:
        """Start nothing: there is no thread here."""

    def close(self) -> None:
        """Stop nothing: whoever waits for an answer still gets it."""

    def submit(self, tensor: FloatArray, size: tuple[int, int], look: Appearance | None = None) -> Future[Computed]:
        """Send one photo; call it on the event loop.

        Args:
            tensor: float32 `[3, size, size]`, from `preprocess`.
            size: `(width, height)` of the upright photo in pixels.
            look: What was measured on its pixels; None has it measured there.

        Returns:
            A future; cancelling it takes the photo back if it still waits.
        """
        future: Future[Computed] = Future()
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._ask(tensor, size, look))
        self._asked.add(task)
        task.add_done_callback(lambda done: self._settle(done, future))
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(task.cancel) if done.cancelled() else None)
        return future

    async def _ask(self, tensor: FloatArray, size: tuple[int, int], look: Appearance | None) -> Computed:
        sent = time.perf_counter()
        for attempt in range(_ATTEMPTS):
            try:
                answer: Answer = await self._replicas.analyse.remote(tensor, size, look)
                break
            except self._lost as error:
                if attempt == _ATTEMPTS - 1:
                    raise EngineError(f"no replica answered in {_ATTEMPTS} attempts: {error}") from error
                await asyncio.sleep(_PAUSE * 2**attempt)
        if answer.first:
            self._metrics.batch_size.observe(answer.batch_size)
            self._metrics.inference_seconds.observe(answer.seconds)
        self._remember(answer.seconds / answer.batch_size)
        # The way there and back counts as waiting: that is what it is for the photo.
        waited = max(0.0, time.perf_counter() - sent - answer.seconds)
        return Computed(answer.analysis, waited, answer.seconds, answer.batch_size, sent + waited)

    def _settle(self, task: asyncio.Task[Computed], future: Future[Computed]) -> None:
        self._asked.discard(task)
        if task.cancelled():
            future.cancel()
        elif future.set_running_or_notify_cancel():
            error = task.exception()
            if error is None:
                future.set_result(task.result())
            else:
                future.set_exception(error)
