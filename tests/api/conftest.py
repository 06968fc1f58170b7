"""Fixtures of the running service."""

from fitted import fitted, plain
from serving import classifier, server

__all__ = ["classifier", "fitted", "plain", "server"]
