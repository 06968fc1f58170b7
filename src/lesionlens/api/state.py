"""What an app holds while it runs. Each app has its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from lesionlens.api.access import Access
from lesionlens.api.metrics import Metrics
from lesionlens.api.service import AnalysisService
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

    Raises:
        SettingsError: The settings would let the records lie open to others.
    """

    settings: Settings
    metrics: Metrics
    tracking: TrackerState
    classifier: Classifier | None = None
    service: AnalysisService | None = field(default=None, repr=False)
    warm: bool = False
    draining: bool = False
    access: Access = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.access = Access(self.settings)

    @property
    def ready(self) -> bool:
        """Whether a load balancer should send requests here."""
        return self.warm and not self.draining

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
