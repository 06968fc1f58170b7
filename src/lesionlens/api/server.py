"""The uvicorn server under the app: its socket, and an orderly end."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from typing import Final

import uvicorn
from fastapi import FastAPI

from lesionlens.api.state import AppState
from lesionlens.errors import SettingsError

__all__ = ["Server", "listen"]

_BACKLOG: Final = 2048
_DRAIN_STEP: Final = 0.1


class Server(uvicorn.Server):
    """Serves an app of `create_app`; SIGTERM and Ctrl-C end it once all accepted requests are answered.

    Args:
        app: The app.
    """

    def __init__(self, app: FastAPI) -> None:
        self._state: AppState = app.state.lesionlens
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,  # the app logs each request itself
                server_header=False,
                lifespan="on",
                timeout_graceful_shutdown=self._state.settings.shutdown_timeout,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say "not ready", wait for load balancers to notice, then stop."""
        self._state.draining = True
        end = time.monotonic() + self._state.settings.drain_seconds
        while not self.force_exit and (left := end - time.monotonic()) > 0:  # a second Ctrl-C forces the exit
            await asyncio.sleep(min(left, _DRAIN_STEP))
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, so that a taken port is found before the model is loaded.

    Args:
        host: IPv4 or IPv6 address or a name.
        port: 0–65535; 0 takes a free one.

    Raises:
        SettingsError: The port is taken, or the address is not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"port {port} on {host} is in use by another program; choose another with --port or PORT"
            ) from error
        raise SettingsError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return listener
