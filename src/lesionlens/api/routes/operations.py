"""For those who run the service: is it alive, is it ready, what does it count."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from lesionlens.api.access import require_metrics_access
from lesionlens.api.schemas import Status
from lesionlens.api.state import State

__all__ = ["router"]

router = APIRouter(tags=["Operations"])


@router.get(
    "/livez",
    summary="Is it alive?",
    response_model=Status,
    responses={503: {"model": Status, "description": "The compute thread has hung."}},
)
async def livez(state: State) -> JSONResponse:
    """Answer as long as the process can, and say whether it still computes; if not, a restart is due."""
    if state.stuck:
        return JSONResponse({"status": "stuck"}, status_code=503)
    return JSONResponse({"status": "alive"})


@router.get(
    "/readyz",
    summary="Is it ready?",
    response_model=Status,
    responses={503: {"model": Status, "description": "Warming up, stuck, or shutting down."}},
)
async def readyz(state: State) -> JSONResponse:
    """Say whether requests should be sent here: after the warm-up and until the shutdown."""
    if state.ready:
        return JSONResponse({"status": "ready"})
    status = "shutting down" if state.draining else "stuck" if state.stuck else "warming up"
    return JSONResponse({"status": status}, status_code=503)


@router.get(
    "/metrics",
    summary="Metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
    dependencies=[Depends(require_metrics_access)],
)
async def metrics(state: State) -> Response:
    """Give all counters in Prometheus's text format."""
    return Response(state.metrics.expose(), media_type=CONTENT_TYPE_LATEST)
