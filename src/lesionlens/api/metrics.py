"""What the service counts, in a Prometheus registry of its own for each app.

Labels take few values, all known beforehand or bound by the code: nothing that a client sends becomes one. Where
several worker processes serve together (`lesionlens.api.metrics_shared`), any of them tells the sum over all.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Callable
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from lesionlens.api.metrics_shared import RESTARTS_HELP, RestartReason, shared_folder, shared_registry
from lesionlens.api.problems import PROBLEMS
from lesionlens.api.runtime import GarbageCounters
from lesionlens.classifier import Analysis, Classifier
from lesionlens.drift import DriftMonitor
from lesionlens.taxonomy import BY_CODE, NUM_CLASSES
from lesionlens.version import __version__

__all__ = ["OTHER_REASONS", "SECONDS", "Metrics"]

SECONDS: Final = (
    *(0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75),
    *(1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0),
)
"""Upper ends of the buckets of durations, seconds: at most 1.7 times apart from 5 ms to 5 s, for quantiles' sake."""

_LAG_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SCORES: Final = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REFUSALS: Final = frozenset(
    slug for slug, problem in PROBLEMS.items() if problem.status < 500 or problem.status == 503
)

OTHER_REASONS: Final = frozenset({"disconnected", "slow-request", "too-many-connections", "other"})
"""Reasons of rejection that are no kind of problem of the API: nobody was there to be told."""


class Metrics:
    """The app's counters.

    Attributes:
        registry: Holds all of them. Those of others may join it: counters and histograms as they are, gauges with a
            `multiprocess_mode`.
        batch_size: Photos per forward pass.
        inference_seconds: Duration of a forward pass.
        loop_lag: How late the event loop was.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._shared = shared_folder()
        self._live: dict[Gauge, Callable[[], float]] = {}
        self._drift: DriftMonitor | None = None
        self._requests = self._counter("requests", "Requests answered", "method", "route", "status")
        self._seconds = self._histogram(
            "request_seconds", "Time from a request's head to the end of its answer", SECONDS, "route"
        )
        self._rejected = self._counter(
            "rejected", "Requests that were not done as asked, by the slug of the problem or another reason", "reason"
        )
        for reason in sorted(_REFUSALS | OTHER_REASONS):  # a counter that is there at 0 can be alarmed on
            self._rejected.labels(reason)
        self._stages = self._histogram(
            "stage_seconds", "Time of a photo in each stage: decode, queue, inference, overlay", SECONDS, "stage"
        )
        self.batch_size = self._histogram("batch_size", "Photos per forward pass", (1, 2, 4, 8, 16, 32))
        self.inference_seconds = self._histogram("inference_seconds", "Duration of a forward pass", SECONDS)
        self._answers = self._counter("answers", "Answers by class; NOT_CONFIDENT is one of them", "code")
        for code in BY_CODE:
            self._answers.labels(code)
        self._not_confident = self._counter(
            "not_confident", "Answers not to be relied on: below the bundle's threshold, or to an unsuitable photo"
        )
        self._not_suitable = self._counter(
            "not_suitable", "Answers to photos that look like no dermoscopic image (out of distribution)"
        )
        self._scores = self._histogram(
            "suitability_score",
            "Out-of-distribution score of a photo, about -log10 of the share of dermoscopic pictures that are as odd",
            _SCORES,
        )
        self._set_size = self._histogram(
            "prediction_set_size",
            "Diagnoses in a prediction set; nothing is counted for a model without a rule",
            tuple(range(1, NUM_CLASSES + 1)),
        )
        self._drift_ratio = self._gauge(
            "input_drift_ratio",
            "Distance of the mean of the photos of late from that of the training pictures; 1 is what chance gives, "
            "0 too few photos to say",
            "of",
            mode="livemax",
        )
        self._drift_photos = self._gauge(
            "input_drift_photos", "Effective number of photos behind lesionlens_input_drift_ratio", mode="livemax"
        )
        self._queue_depth = self._gauge("queue_depth", "Photos waiting for the compute thread")
        self._in_progress = self._gauge("in_progress", "Photos admitted, not yet answered")
        self._ready = self._gauge("ready", "Processes to which requests should be sent")
        self._gauge("workers", "Processes that serve").set(1)
        self._model = self._info("model_info", "The model in use; always 1", "name", "version", "sha256", "engine")
        self._engine = self._info(
            "engine_info", "What computes; always 1", "engine", "version", "device", "precision", "threads"
        )
        self._info("build_info", "The program; always 1", "version", "python").labels(
            __version__, platform.python_version()
        ).set(1)
        self.loop_lag = self._histogram(
            "event_loop_lag_seconds", "How much later than asked for the event loop woke up a timer", _LAG_SECONDS
        )
        self._garbage = GarbageCounters(self.registry)
        if self._shared is None:  # otherwise they are those of all workers, read when they are asked for
            ProcessCollector(registry=self.registry)
            restarts = self._counter("worker_restarts", RESTARTS_HELP, "reason")
            for reason in get_args(RestartReason):
                restarts.labels(reason)

    def watch(self, queue_depth: Callable[[], float], in_progress: Callable[[], float]) -> None:
        """Read two gauges when they are asked for; of several workers, those of the others are up to a second old.

        Args:
            queue_depth: Photos waiting for the compute thread.
            in_progress: Photos admitted and not yet answered.
        """
        self._follow(self._queue_depth, queue_depth)
        self._follow(self._in_progress, in_progress)

    def watch_ready(self, ready: Callable[[], bool]) -> None:
        """Tell whether requests should be sent here, as `ready` says when it is asked."""
        self._follow(self._ready, ready)

    def describe(self, classifier: Classifier, *, drift_photos: int = 200) -> None:
        """Say which model the figures belong to, and compare photos with what it was trained on.

        Args:
            classifier: The model in use.
            drift_photos: Effective number of photos of late that count for the drift.
        """
        model, engine = classifier.description, classifier.engine_info
        if self._shared is None:  # workers load one model in their life, and shared files forget nothing
            for info in (self._model, self._engine):
                info.clear()
        self._model.labels(model["name"], model["version"], model["sha256"], model["engine"]).set(1)
        self._engine.labels(engine.name, engine.version, engine.device, engine.precision, str(engine.threads)).set(1)
        self._drift = DriftMonitor(classifier.reference, drift_photos) if classifier.reference else None
        for name in ("appearance", "features"):
            self._drift_ratio.labels(name).set(0)

    def answered(self, analysis: Analysis) -> None:
        """Count one answer: its class, its doubt, its share in the drift, and nothing else of the photo."""
        self._answers.labels(analysis.diagnosis.code).inc()
        if not analysis.confident:
            self._not_confident.inc()
        if analysis.decided_by == "suitability":
            self._not_suitable.inc()
        if analysis.suitability is not None:
            self._scores.observe(analysis.suitability.score)
        if analysis.prediction_set is not None:
            self._set_size.observe(len(analysis.prediction_set))
        if self._drift is not None:
            self._drift.add(analysis.features, analysis.appearance)
            self._drift_photos.set(self._drift.photos)
            for name in ("appearance", "features"):
                self._drift_ratio.labels(name).set(getattr(self._drift, name) or 0)

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

    def rejected(self, reason: str) -> None:
        """Count a request that was not done as asked. What is answered with a problem document is counted already.

        Args:
            reason: The slug of a problem type, or one of `OTHER_REASONS`; any other counts as `other`. The slugs of
                failures that are the service's own (`internal`, `store-failed`) are not counted: nothing was refused.
        """
        if reason in PROBLEMS and reason not in _REFUSALS:
            return
        self._rejected.labels(reason if reason in _REFUSALS or reason in OTHER_REASONS else "other").inc()

    def refresh(self) -> None:
        """Bring up to date what cannot be asked for: the garbage collector's counts, and gauges for other workers."""
        self._garbage.refresh()
        for gauge, read in self._live.items():
            gauge.set(read())

    def expose(self) -> bytes:
        """Return everything in Prometheus's text format, of all workers if there are several."""
        self.refresh()
        return generate_latest(self.registry if self._shared is None else shared_registry(self._shared))

    def _follow(self, gauge: Gauge, read: Callable[[], float]) -> None:
        if self._shared is None:
            gauge.set_function(read)
        else:  # another process cannot call a function of this one
            self._live[gauge] = read

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"lesionlens_{name}", about, labels, registry=self.registry)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"lesionlens_{name}", about, labels, buckets=(*buckets, math.inf), registry=self.registry)

    def _gauge(self, name: str, about: str, *labels: str, mode: str = "livesum") -> Gauge:
        return Gauge(f"lesionlens_{name}", about, labels, registry=self.registry, multiprocess_mode=mode)  # type: ignore[arg-type]

    def _info(self, name: str, about: str, *labels: str) -> Gauge:
        return self._gauge(name, about, *labels, mode="livemax")
