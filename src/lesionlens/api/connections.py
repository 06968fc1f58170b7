"""Connections that cannot be held for ever by a client that does nothing with them.

uvicorn bounds how long a connection may be idle between two requests, and nothing else. Bounded here are the time to a
complete head (https://en.wikipedia.org/wiki/Slowloris_(cyber_attack)), the time that an answer may lie unread, and how
many connections there may be. Bodies are bounded where they are read.
"""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict
from typing import Any, Final, cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from lesionlens.api.metrics import Metrics
from lesionlens.settings import Settings

__all__ = ["Connection", "Connections"]

_TOO_SLOW: Final = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
    b"content-length: 46\r\n\r\nThe head of the request took too long to come."
)


class Connections(ServerState):
    """All connections of a server.

    Args:
        settings: Give the times.
        metrics: Where those that are closed for their slowness are counted.
        limit: Most connections at once, at least 1.

    Attributes:
        limit: The same.
        settings: The same.
        waiting: Those that wait for the head of a request; the one that has waited longest is the first.
    """

    def __init__(self, settings: Settings, metrics: Metrics, limit: int) -> None:
        super().__init__()
        self.settings = settings
        self.limit = limit
        self.waiting: OrderedDict[Connection, None] = OrderedDict()
        self._metrics = metrics

    def make_room(self, places: int = 0) -> int:
        """Close connections that wait for a request if there are too many, those that have waited longest first.

        A client that is doing nothing loses nothing by it, and it is what nginx does (`worker_connections`). So nobody
        can shut others out by opening connections and leaving them idle.

        Args:
            places: How many more must be closed, however few there are.

        Returns:
            How many were closed.
        """
        excess = max(places, len(self.connections) - self.limit)
        evicted = list(self.waiting)[:excess] if excess > 0 else []
        for connection in evicted:
            self.close(connection, "too-many-connections")
        return len(evicted)

    def close(self, connection: Connection, why: str) -> None:
        """Close a connection at once, and count why."""
        self._metrics.rejected(why)
        connection.abandon()


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1, with time limits.

    Args:
        config: The server's.
        server_state: A `Connections`.
        app_state: The state that the app's lifespan made.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all = cast("Connections", server_state)
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch_reading()
        self._all.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        if self._writing is not None:
            self._writing.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        super().data_received(data)
        self._watch_reading()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, and for the client to take the answer."""
        super().on_response_complete()  # which begins with the next request, if that has come
        if not self._is_answering and not self.transport.is_closing():
            self._all.waiting[self] = None  # uvicorn's keep-alive bounds the wait for the first byte
            if self.conn.trailing_data[0]:
                self._watch_reading()
        self._watch_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; where an answer is under way already, only close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()
        self._watch_writing()

    def pause_writing(self) -> None:
        """Bound how long the client may leave its answer unread."""
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        """See that the client reads."""
        super().resume_writing()
        self._unread = sys.maxsize

    def abandon(self) -> None:
        """Close the connection at once, whatever has not been sent yet."""
        self._stop_waiting()
        self.transport.abort()

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_waiting(self) -> None:
        self._all.waiting.pop(self, None)
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _watch_reading(self) -> None:
        """Give the client from the first byte of a head, or from connecting, a bounded time to send all of it."""
        if self._is_answering or self.transport.is_closing():
            self._stop_waiting()
        elif self._reading is None:
            self._all.waiting.setdefault(self, None)
            settings = self._all.settings
            # The rest of a body that was answered before it had come is no head, and may take as long as bodies may.
            head = self.conn.their_state is h11.IDLE
            seconds = settings.head_timeout if head else settings.upload_timeout
            self._reading = self.loop.call_later(seconds, self._read_too_slowly)

    def _read_too_slowly(self) -> None:
        self._reading = None
        if self.conn.their_state is h11.IDLE:
            if not self.conn.trailing_data[0]:  # it only connected, as browsers do ahead of time
                self.abandon()
                return
            self.transport.write(_TOO_SLOW)
        self._all.close(self, "slow-request")

    def _watch_writing(self) -> None:
        if self._writing is None and (unread := self.transport.get_write_buffer_size()):
            self._unread = unread
            self._writing = self.loop.call_later(self._all.settings.write_timeout, self._written_too_slowly)

    def _written_too_slowly(self) -> None:
        self._writing = None
        unread = self.transport.get_write_buffer_size()
        if unread and unread >= self._unread:
            self._all.close(self, "slow-request")
        else:
            self._watch_writing()
