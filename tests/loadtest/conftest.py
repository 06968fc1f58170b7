"""Real services to put under load."""

from serving import classifier, server

__all__ = ["classifier", "server"]
