"""An end that comes even if a thread never does."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from lesionlens.settings import Settings

__all__ = ["FORCED", "force_end", "seconds_to_end"]

FORCED: Final = 70
"""Exit status after a forced end (`EX_SOFTWARE` of sysexits(3))."""

_MARGIN: Final = 10.0  # for closing the database and what else is quick


def seconds_to_end(settings: Settings) -> float:
    """Return how long an orderly end takes at most."""
    return settings.drain_seconds + settings.shutdown_timeout + _MARGIN


@contextmanager
def force_end(settings: Settings, exit_now: Callable[[int], object] = os._exit) -> Iterator[Callable[[], None]]:
    """End this process when an orderly end has had its time. For a program of its own, never in a library.

    Python waits at its end for its threads, and one that hangs in an engine would keep it for ever.

    Args:
        settings: Give the time.
        exit_now: Ends the process.

    Yields:
        What starts the clock: to be called when the orderly end begins. The end of the `with` block stops it.
    """

    def end() -> None:
        logging.getLogger("lesionlens.server").error(
            "the process did not end within %g seconds: a thread still computes; it is ended by force", seconds
        )
        exit_now(FORCED)

    seconds = seconds_to_end(settings)
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    try:
        yield timer.start
    finally:
        timer.cancel()
