"""Real services for what goes wrong."""

from serving import classifier

__all__ = ["classifier"]
