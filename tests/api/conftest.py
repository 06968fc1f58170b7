"""Fixtures of the running service."""

from serving import classifier, server

__all__ = ["classifier", "server"]
