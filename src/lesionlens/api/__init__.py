"""The HTTP service: the SkinTracker contract, the richer `/v1`, metrics, and the page."""

from lesionlens.api.app import create_app

__all__ = ["create_app"]
