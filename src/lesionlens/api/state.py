"""What an app holds while it runs. Each app has its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from lesionlens.api.access import Access
from lesionlens.api.access.audit import AuditLog
from lesionlens.api.batching import BatchWorker
from lesionlens.api.limits import RateLimiter
from lesionlens.api.metrics import Metrics
from lesionlens.api.service import AnalysisService
from lesionlens.api.tracing import Tracing, tracing_from_environment
from lesionlens.api.tracking import TrackerState
from lesionlens.classifier import Classifier
from lesionlens.settings import Settings

__all__ = ["AppState", "State"]


@dataclass(slots=True)
class AppState:
    """The app's parts.

    Attributes:
        settings: The settings it was made with.
        metrics: Its counters.
        tracking: The tracker, or why there is none.
        classifier: The model; None until the app has started.
        service: The way of a photo; None until the app has started.
        warm: Whether a warm-up inference has run.
        draining: Whether the app is being shut down.
        access: Who may use the records.
        make_worker: Makes what computes batches; None for a thread of this process.
        audit: Where it is told who did.
        limiter: How often a client may ask; None where there is no limit.
        tracing: Where requests are traced; None for nowhere.

    Raises:
        SettingsError: The settings would let the records lie open to others, or name a file that cannot be used.
    """

    settings: Settings
    metrics: Metrics
    tracking: TrackerState
    classifier: Classifier | None = None
    service: AnalysisService | None = field(default=None, repr=False)
    warm: bool = False
    draining: bool = False
    make_worker: Callable[[Metrics], BatchWorker] | None = field(default=None, repr=False)
    access: Access = field(init=False, repr=False)
    audit: AuditLog = field(init=False, repr=False)
    limiter: RateLimiter | None = field(init=False, repr=False, default=None)
    tracing: Tracing | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        self.tracing = tracing_from_environment()
        self.access = Access(self.settings)
        if self.settings.rate_limit:
            self.limiter = RateLimiter(self.settings, self.metrics.registry)
        self.audit = AuditLog(self.settings.audit_log)

    async def close(self) -> None:
        """Close what is opened again when it is needed: the audit log's file and the connections of the limiter."""
        self.audit.close()
        if self.limiter is not None:
            await self.limiter.close()

    @property
    def ready(self) -> bool:
        """Whether a load balancer should send requests here."""
        return self.warm and not self.draining and not self.stuck

    @property
    def stuck(self) -> bool:
        """Whether the compute thread has hung or died, which only a restart of the process mends."""
        return self.service is not None and self.service.worker.is_stuck(self.settings.stuck_seconds)

    @property
    def running(self) -> tuple[Classifier, AnalysisService]:
        """The model and the service of an app that has started.

        Raises:
            RuntimeError: The app has not started: its lifespan was not run.
        """
        if self.classifier is None or self.service is None:
            raise RuntimeError("the app has not started; run it with a server that supports ASGI lifespan")
        return self.classifier, self.service


def _state(request: Request) -> AppState:
    return cast("AppState", request.app.state.lesionlens)


State = Annotated[AppState, Depends(_state)]
"""Parameter type of a route that needs the app's parts."""
