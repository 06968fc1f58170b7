"""Puts the service together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.middleware import Middleware

from lesionlens import DISCLAIMER
from lesionlens.api import access
from lesionlens.api.cors import OpenCorsMiddleware
from lesionlens.api.errors import UnexpectedErrorMiddleware, add_error_handlers
from lesionlens.api.metrics import Metrics
from lesionlens.api.middleware import REQUEST_ID_HEADER, RequestMiddleware
from lesionlens.api.pages import PageFiles, pages
from lesionlens.api.routes import contract, exchange, operations, tracker, v1
from lesionlens.api.service import AnalysisService
from lesionlens.api.state import AppState
from lesionlens.api.tracking import TrackerState
from lesionlens.classifier import Classifier
from lesionlens.inference.find_model import find_model
from lesionlens.settings import Settings, load_settings
from lesionlens.version import __version__

__all__ = ["create_app", "load_classifier"]

WEB_FOLDER: Final = Path(__file__).parent.parent / "web"

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


def create_app(settings: Settings | None = None, classifier: Classifier | None = None) -> FastAPI:
    """Make the HTTP service. Several apps can live in one process; they share nothing.

    Args:
        settings: Its settings; None reads them from the environment.
        classifier: The model; None loads the one that the settings name when the app starts.

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
    state = AppState(settings, Metrics(), TrackerState(settings), classifier)
    app = FastAPI(
        title="LesionLens",
        version=__version__,
        summary="Classifies photographs of skin lesions and shows what it looked at.",
        description=f"**{DISCLAIMER}**",
        license_info={"name": "Apache-2.0"},
        openapi_tags=[{"name": name, "description": about} for name, about in _TAGS.items()],
        docs_url=None,  # FastAPI's page loads scripts from another host; /docs is a page of our own
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        middleware=[  # the first is the outermost
            Middleware(RequestMiddleware, metrics=state.metrics),
            Middleware(
                OpenCorsMiddleware,
                origins=settings.cors_origins,
                expose_headers=[REQUEST_ID_HEADER, "Retry-After"],
            ),
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
    return Classifier(bundle, engine=settings.engine, threads=settings.threads, tta=settings.tta)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: AppState = app.state.lesionlens
    settings = state.settings
    state.warm = state.draining = False  # an app may be started again
    if state.classifier is None:
        state.classifier = await asyncio.to_thread(load_classifier, settings)
    model = state.classifier.description
    state.metrics.describe_model(model["name"], model["version"], model["sha256"], model["engine"])
    state.service = AnalysisService(state.classifier, settings, state.metrics)
    state.service.start()
    await state.tracking.open()
    # Not awaited: /livez answers at once, and /readyz when the warm-up is done.
    warming = asyncio.create_task(_warm_up(state, state.service))
    try:
        yield
    finally:
        state.draining = True
        warming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await warming
        await asyncio.to_thread(state.service.close)
        await state.tracking.close()


async def _warm_up(state: AppState, service: AnalysisService) -> None:
    log = logging.getLogger("lesionlens.api")
    try:
        await service.warm_up()
    except Exception:  # a task that fails in silence would leave the app unready for no visible reason
        log.exception("warm-up failed; the service stays unready")
    else:
        state.warm = True
        log.info("ready")
