"""Puts the service together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware

from lesionlens import DISCLAIMER
from lesionlens.api import access
from lesionlens.api.access.audit import AuditMiddleware
from lesionlens.api.batching import BatchWorker
from lesionlens.api.cors import OpenCorsMiddleware
from lesionlens.api.errors import UnexpectedErrorMiddleware, add_error_handlers
from lesionlens.api.limits import RateLimitHeaders
from lesionlens.api.limits.answers import POLICY, STATE
from lesionlens.api.metrics import Metrics
from lesionlens.api.middleware import REQUEST_ID_HEADER, RequestMiddleware
from lesionlens.api.pages import PageFiles, pages
from lesionlens.api.routes import contract, exchange, operations, tracker, v1
from lesionlens.api.runtime import watch_event_loop
from lesionlens.api.service import AnalysisService
from lesionlens.api.state import AppState
from lesionlens.api.tracking import TrackerState
from lesionlens.classifier import Classifier
from lesionlens.inference.find_model import find_model
from lesionlens.settings import Settings, load_settings
from lesionlens.version import __version__

__all__ = ["create_app", "load_classifier"]

WEB_FOLDER: Final = Path(__file__).parent.parent / "web"

# FastAPI's own spans and logs tell paths (ids of records), query strings and the texts of errors, to whatever provider
# another part of the process has set; `lesionlens.api.tracing` tells none of these.
_NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}

_TAGS: Final = {
    "SkinTracker contract": "What the SkinTracker client calls; never changes.",
    "Analyses": "Photos analysed; nothing is stored.",
    "Model": "What answers, and what it can answer.",
    "Tracker": "Whether records are kept here.",
    "Access": "Logging in and out.",
    "People": "Whose lesions are tracked.",
    "Lesions": "Where they are on the body, and how they are.",
    "Visits": "Photos over time, and what models said of them.",
    "Change": "What changed between two visits.",
    "Export and import": "All of it in one file, and back.",
    "Problems": "Every kind of failure.",
    "Operations": "For those who run the service.",
}


def create_app(
    settings: Settings | None = None,
    classifier: Classifier | None = None,
    make_worker: Callable[[Metrics], BatchWorker] | None = None,
) -> FastAPI:
    """Make the HTTP service. Several apps can live in one process; they share nothing.

    Args:
        settings: Its settings; None reads them from the environment.
        classifier: The model; None loads the one that the settings name when the app starts.
        make_worker: Makes what computes batches; None for a thread of this process.

    Returns:
        An ASGI app. Its lifespan loads the model, and on shutdown finishes what was accepted.

    Raises:
        SettingsError: The environment has a value that is not accepted.

    Example:
        >>> app = create_app()
        >>> app.title
        'LesionLens'
    """
    settings = settings or load_settings()
    state = AppState(settings, Metrics(), TrackerState(settings), classifier, make_worker=make_worker)
    app = FastAPI(
        title="LesionLens",
        version=__version__,
        summary="Classifies photographs of skin lesions and shows what it looked at.",
        description=f"**{DISCLAIMER}**",
        license_info={"name": "Apache-2.0"},
        openapi_tags=[{"name": name, "description": about} for name, about in _TAGS.items()],
        docs_url=None,  # FastAPI's page loads scripts from another host; /docs is a page of our own
        openapi_url=None,  # `pages` serves it, without blocking the event loop
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
        lifespan=_lifespan,
        middleware=[  # the first is the outermost
            Middleware(RequestMiddleware, metrics=state.metrics, tracing=state.tracing),
            Middleware(
                OpenCorsMiddleware,
                origins=settings.cors_origins,
                expose_headers=[REQUEST_ID_HEADER, "Retry-After", POLICY, STATE],
            ),
            Middleware(AuditMiddleware, log=state.audit),
            Middleware(RateLimitHeaders),
            Middleware(UnexpectedErrorMiddleware),
        ],
    )
    app.state.lesionlens = state
    add_error_handlers(app)
    for router in (contract.router, v1.router, access.router, tracker.router, exchange.router, operations.router):
        app.include_router(router)
    app.include_router(pages(WEB_FOLDER))
    app.mount("/static", PageFiles(directory=WEB_FOLDER), name="static")
    return app


def load_classifier(settings: Settings) -> Classifier:
    """Load the model that settings name.

    Args:
        settings: Say which model, in which engine, with how many threads.

    Raises:
        BundleError: There is no such model, or it is not valid.
        ConversionError: It is a file of weights that cannot be converted.
        EngineError: No engine can run it.
    """
    bundle = find_model(settings.model, settings.cache_dir)
    return Classifier(
        bundle,
        engine=settings.engine,
        threads=settings.threads,
        precision=settings.precision,
        cache_dir=settings.cache_dir,
        tta=settings.tta,
    )


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: AppState = app.state.lesionlens
    settings = state.settings
    state.warm = state.draining = False  # an app may be started again
    if state.classifier is None:
        state.classifier = await asyncio.to_thread(load_classifier, settings)
    if state.tracing is not None:
        state.tracing.open()
    state.metrics.describe(state.classifier, drift_photos=settings.drift_photos)
    state.metrics.watch_ready(lambda: state.ready)
    worker = None if state.make_worker is None else state.make_worker(state.metrics)
    state.service = AnalysisService(state.classifier, settings, state.metrics, worker)
    state.service.start()
    # Not awaited: /livez answers at once, and /readyz when the warm-up is done. It begins before the tracker is opened,
    # which takes about as long.
    warming = asyncio.create_task(_warm_up(state, state.service))
    watching = asyncio.create_task(watch_event_loop(state.metrics))
    try:
        await state.tracking.open()
        yield
    finally:
        state.draining = True
        for task in (warming, watching):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(state.service.close)
        await state.tracking.close()
        await state.close()
        if state.tracing is not None:
            await asyncio.to_thread(state.tracing.close)


async def _warm_up(state: AppState, service: AnalysisService) -> None:
    log = logging.getLogger("lesionlens.api")
    try:
        await service.warm_up()
    except Exception:  # a task that fails in silence would leave the app unready for no visible reason
        log.exception("warm-up failed; the service stays unready")
    else:
        state.warm = True
        log.info("ready")
