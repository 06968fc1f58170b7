"""How a worker tells its supervisor that it lives."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

import structlog

from lesionlens.api.state import AppState

__all__ = ["READY", "STUCK", "UNREADY", "Heart"]

UNREADY: Final = b"u"
READY: Final = b"r"
STUCK: Final = b"s"
"""What a worker says of itself."""


class Heart:
    """Writes one byte at each beat; the event loop beats it, so that silence means that the loop hangs.

    Args:
        state: The app's parts, which know whether it is ready.
        pipe: File descriptor to write to.
        when_alone: Called when nobody reads any more.
    """

    def __init__(self, state: AppState, pipe: int, when_alone: Callable[[], object]) -> None:
        self._state = state
        self._pipe = pipe
        self._when_alone = when_alone
        os.set_blocking(pipe, False)

    async def beat(self) -> None:
        """Say how the worker is."""
        said = STUCK if self._state.stuck else READY if self._state.ready else UNREADY
        try:
            os.write(self._pipe, said)
        except BlockingIOError:
            pass  # the supervisor is slow to read; what it has not read yet says the same
        except BrokenPipeError:
            # Without a supervisor nobody would ever end this process, and it would hold on to the port.
            structlog.stdlib.get_logger("lesionlens.server").error("the supervisor is gone; this worker ends")
            self._when_alone()
