"""What both routes that take a photo do first: read it, unless the service is too busy to."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from fastapi import Request

from lesionlens.api.deadlines import time_allowed, within
from lesionlens.api.disconnect import while_connected
from lesionlens.api.service import Outcome
from lesionlens.api.state import AppState
from lesionlens.api.uploads import read_upload
from lesionlens.classifier import Analysis

__all__ = ["analyse_upload"]


async def analyse_upload(
    request: Request, state: AppState, draw: Callable[[Analysis], Collection[int]]
) -> tuple[Outcome, float]:
    """Read the photo of a request and analyse it.

    Args:
        request: A request whose body has not been read.
        state: The app's parts.
        draw: Says for which classes a heatmap is drawn.

    Returns:
        What came of the photo, and how long reading it took in milliseconds.

    Raises:
        RequestError: The service is too busy, the request holds no photo that it accepts, or its time is over.
        ImageError: The photo cannot be used.
    """
    _, service = state.running
    service.photos.check(service.retry_after())  # before the upload: no one should send megabytes only to be refused
    with service.uploads.enter():
        begun = time.perf_counter()
        data = await read_upload(request, state.settings)
        upload_ms = 1000 * (time.perf_counter() - begun)
    analysing = service.analyse(data, draw)
    del data  # the service lets go of it once it is decoded
    allowed = time_allowed(request, state.settings)
    return await within(allowed, while_connected(request, analysing), service.retry_after), upload_ms
