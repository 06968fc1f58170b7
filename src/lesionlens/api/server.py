"""The uvicorn server under the app: its socket, its connections, and an orderly end."""

from __future__ import annotations

import asyncio
import errno
import logging
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from lesionlens.api.connections import Connection, Connections
from lesionlens.api.descriptors import most_connections, raise_file_limit
from lesionlens.api.listener import BACKLOG, listen, take_no_more
from lesionlens.api.state import AppState

__all__ = ["Server", "listen"]

# Several workers share a socket: whoever took all that wait at once would leave the others idle. It also keeps a flood
# of new connections from holding up those that are being answered.
_ACCEPTED_AT_ONCE: Final = 1
_DRAIN_STEP: Final = 0.1
_LINGER: Final = 2.0
_LINGER_STEP: Final = 0.02
_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ACCEPT_AGAIN: Final = 1.1  # seconds; asyncio pauses for one
_TELL_EVERY: Final = 30.0
_EVICTED_SHARE: Final = 10

_logger = logging.getLogger("lesionlens.server")


class Server(uvicorn.Server):
    """Serves an app of `create_app`; SIGTERM and Ctrl-C end it once all accepted requests are answered.

    Args:
        app: The app.
        ending: Called once when it begins to end.
        shares_socket: Whether other processes take connections from the same socket, and may go on with it.
    """

    server_state: Connections

    def __init__(
        self, app: FastAPI, ending: Callable[[], object] | None = None, *, shares_socket: bool = False
    ) -> None:
        self._state: AppState = app.state.lesionlens
        self._ending = ending
        self._shares_socket = shares_socket
        self._listeners: list[socket.socket] = []
        self._told_at = -_TELL_EVERY
        settings = self._state.settings
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                loop="asyncio",  # also where uvloop happens to be installed, which drops connections out of descriptors
                ws="none",
                log_config=None,
                access_log=False,  # the app logs each request itself
                server_header=False,
                lifespan="on",
                backlog=_ACCEPTED_AT_ONCE,  # to asyncio it means this, too; `startup` sets the queue's length again
                timeout_keep_alive=settings.keep_alive,
                timeout_graceful_shutdown=settings.shutdown_timeout,
                timeout_notify=0,  # `callback_notify` is called each time that uvicorn looks, which is once a second
            )
        )
        limit = most_connections(settings.max_connections, raise_file_limit())
        self.server_state = Connections(settings, self._state.metrics, limit)

    def end(self) -> None:
        """End in an orderly way, as after SIGTERM."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load the model and take connections."""
        asyncio.get_running_loop().set_exception_handler(self._on_loop_error)
        await super().startup(sockets)
        self._listeners = sockets or []
        self._listen_again()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say "not ready", wait for load balancers to notice, answer all that has come, then stop."""
        self._state.draining = True
        if self._ending is not None:
            self._ending()
        end = time.monotonic() + self._state.settings.drain_seconds
        while not self.force_exit and (left := end - time.monotonic()) > 0:  # a second Ctrl-C forces the exit
            await asyncio.sleep(min(left, _DRAIN_STEP))
        begun = time.monotonic()
        await self._stop_listening()
        left = self._state.settings.shutdown_timeout - (time.monotonic() - begun)
        self.config.timeout_graceful_shutdown = max(1, round(left))
        await super().shutdown(sockets)

    async def _stop_listening(self) -> None:
        """Take the connections that wait to be accepted, and the requests that are on their way.

        Closing a listening socket resets whatever waits in its queue, and closing a connection with unread bytes resets
        that: to the client either is a lost request, though it came in time.
        """
        end = time.monotonic() + _LINGER
        if not self._shares_socket:
            for listener in self._listeners:
                take_no_more(listener)
        with selectors.DefaultSelector() as queue:
            for listener in self._listeners:
                queue.register(listener, selectors.EVENT_READ)
            while queue.select(0) and not self.force_exit and time.monotonic() < end:
                await asyncio.sleep(0)
        for listener in self._listeners:
            asyncio.get_running_loop().remove_reader(listener)
        # What was accepted last becomes a connection a few turns later, unless asyncio's server is closed before.
        await asyncio.sleep(_LINGER_STEP)
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        while self.server_state.waiting and not self.force_exit and time.monotonic() < end:
            await asyncio.sleep(_LINGER_STEP)

    def _listen_again(self) -> None:
        for listener in self._listeners:
            if listener.fileno() != -1:
                listener.listen(BACKLOG)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _OUT_OF_FILES and "accept" in context["message"]):
            loop.default_exception_handler(context)
            return
        closed = self.server_state.make_room(max(1, len(self.server_state.waiting) // _EVICTED_SHARE))
        loop.call_later(_ACCEPT_AGAIN, self._listen_again)
        if time.monotonic() - self._told_at >= _TELL_EVERY:
            self._told_at = time.monotonic()
            _logger.error(
                "no connection can be accepted: %s; closed %d of %d that waited for a request. Raise the limit of open "
                "files (ulimit -n, LimitNOFILE=, --ulimit nofile=), or lower LESIONLENS_MAX_CONNECTIONS",
                error.strerror,
                closed,
                len(self.server_state.connections),
            )
