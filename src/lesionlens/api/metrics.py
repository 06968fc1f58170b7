"""What the service counts, in a Prometheus registry of its own for each app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from lesionlens.classifier import Analysis
from lesionlens.taxonomy import BY_CODE, NUM_CLASSES

__all__ = ["Metrics"]

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The app's counters.

    Attributes:
        registry: Holds all of them.
        batch_size: Photos per forward pass.
        inference_seconds: Duration of a forward pass.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "lesionlens_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "lesionlens_request_seconds",
            "Time from a request's head to the end of its answer",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "lesionlens_stage_seconds",
            "Time of a photo in each stage: decode, queue, inference, overlay",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch_size = Histogram(
            "lesionlens_batch_size", "Photos per forward pass", buckets=(1, 2, 4, 8, 16, 32), registry=self.registry
        )
        self.inference_seconds = Histogram(
            "lesionlens_inference_seconds", "Duration of a forward pass", buckets=_SECONDS, registry=self.registry
        )
        self._answers = Counter(
            "lesionlens_answers", "Answers by class; NOT_CONFIDENT is one of them", ["code"], registry=self.registry
        )
        for code in BY_CODE:  # a counter that is there at 0 can be alarmed on
            self._answers.labels(code)
        self._not_suitable = Counter(
            "lesionlens_not_suitable", "Answers to photos that look like no dermoscopic image", registry=self.registry
        )
        self._set_size = Histogram(
            "lesionlens_prediction_set_size",
            "Diagnoses in a prediction set; nothing is counted for a model without a rule",
            buckets=tuple(range(1, NUM_CLASSES + 1)),
            registry=self.registry,
        )
        self._queue_depth = Gauge(
            "lesionlens_queue_depth", "Photos waiting for the compute thread", registry=self.registry
        )
        self._in_progress = Gauge("lesionlens_in_progress", "Photos admitted, not yet answered", registry=self.registry)
        self._model = Gauge(
            "lesionlens_model",
            "The model in use; always 1",
            ["name", "version", "sha256", "engine"],
            registry=self.registry,
        )

    def watch(self, queue_depth: Callable[[], int], in_progress: Callable[[], int]) -> None:
        """Read two gauges when they are asked for.

        Args:
            queue_depth: Photos waiting for the compute thread.
            in_progress: Photos admitted and not yet answered.
        """
        self._queue_depth.set_function(queue_depth)
        self._in_progress.set_function(in_progress)

    def describe_model(self, name: str, version: str, sha256: str, engine: str) -> None:
        """Say which model the figures belong to."""
        self._model.clear()
        self._model.labels(name, version, sha256, engine).set(1)

    def answered(self, analysis: Analysis) -> None:
        """Count one answer: its class, its doubt, and nothing else of the photo."""
        self._answers.labels(analysis.diagnosis.code).inc()
        if analysis.decided_by == "suitability":
            self._not_suitable.inc()
        if analysis.prediction_set is not None:
            self._set_size.observe(len(analysis.prediction_set))

    def staged(self, **seconds: float) -> None:
        """Count how long one photo was in each stage.

        Args:
            **seconds: By the stage's name.
        """
        for stage, duration in seconds.items():
            self._stages.labels(stage).observe(duration)

    def requested(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            method: HTTP method; unusual ones are counted together.
            route: The route's pattern, never the path, which anybody can vary at will.
            status: HTTP status of the answer.
            seconds: How long it took.
        """
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def expose(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)
