"""One of several processes that serve the same socket: `python -m lesionlens.api.workers.main`.

The supervisor starts it as a fresh interpreter, since neither engines nor threads nor metrics survive a fork. What it
needs comes as one JSON object (`Orders`) by standard input, where no other user of the machine can read it. It tells
the supervisor once a second how it is, by a pipe; when nobody is left to read that, it ends in an orderly way.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import structlog
from pydantic import TypeAdapter
from uvicorn.config import STARTUP_FAILURE

__all__ = ["CANNOT_START", "Orders", "main"]

CANNOT_START: Final = STARTUP_FAILURE
"""Exit status of a worker that would fail in the same way each time."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is told.

    Attributes:
        number: Which of the workers it is, from 1.
        listener: File descriptor of the listening socket.
        status: File descriptor of the pipe to the supervisor.
        settings: Settings by field name that take precedence over the environment.
    """

    number: int
    listener: int
    status: int
    settings: dict[str, Any]

    def to_json(self) -> bytes:
        """Return it as `from_json` reads it."""
        return TypeAdapter(dict[str, Any]).dump_json(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what `to_json` wrote."""
        return cls(**TypeAdapter(dict[str, Any]).validate_json(text))


def main() -> int:
    """Serve until told to stop; returns the exit status."""
    from lesionlens.api.allocator import keep_freed_memory
    from lesionlens.api.app import create_app, load_classifier
    from lesionlens.api.force_end import force_end
    from lesionlens.api.logs import configure_logging
    from lesionlens.api.server import Server
    from lesionlens.api.workers.heart import Heart
    from lesionlens.errors import LesionLensError
    from lesionlens.settings import load_settings

    keep_freed_memory()
    orders = Orders.from_json(sys.stdin.buffer.read())
    settings = load_settings(**orders.settings)
    configure_logging(settings)
    structlog.contextvars.bind_contextvars(worker=orders.number)
    try:
        app = create_app(settings, load_classifier(settings))
    except LesionLensError as error:
        structlog.stdlib.get_logger("lesionlens").error("the worker cannot start", reason=str(error))
        return CANNOT_START
    with contextlib.suppress(KeyboardInterrupt), force_end(settings) as ending:
        server = Server(app, ending, shares_socket=True)
        server.config.callback_notify = Heart(app.state.lesionlens, orders.status, server.end).beat
        server.run([socket.socket(fileno=orders.listener)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
