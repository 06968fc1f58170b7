"""Puts back what `configure_logging` changes for a whole process."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

__all__ = ["keep_logging"]


@pytest.fixture
def keep_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For tests that configure the log."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    yield
    logging.captureWarnings(False)
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()
