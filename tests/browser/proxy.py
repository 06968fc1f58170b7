"""A connection that a test can cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from serving import wait_until

_CHUNK = 16 * 1024


class Proxy:
    """Passes bytes on to a server and back, until it is told to cut the connection.

    Attributes:
        upstream: Port of the server on loopback; None refuses every connection, as a service that is down does.
        cut_upload_after: Bytes of a request to `path` after which the connection is cut; None never cuts.
        swallow_answer: Whether the answer to a request to `path` is lost on its way, though the request arrived.
        path: What the first line of a request must hold to be cut.
        cuts: How many connections were cut.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream: int | None = upstream
        self.cut_upload_after: int | None = None
        self.swallow_answer = False
        self.path = b"/visits"
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            if self.upstream is None:
                return
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.upstream)) as server:
                self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """One request at a time: whether it is to be cut is seen from its first bytes."""
        answering = threading.Event()
        chosen = threading.Event()

        def back() -> None:
            with suppress(OSError):
                while data := server.recv(_CHUNK):
                    if chosen.is_set() and self.swallow_answer:
                        self.cuts += 1
                        break
                    client.sendall(data)
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            answering.set()

        threading.Thread(target=back, daemon=True).start()
        passed = 0
        while self.upstream is not None and (data := client.recv(_CHUNK)):
            line = data.split(b"\r\n", 1)[0]
            if line.startswith(b"POST ") and self.path in line:
                chosen.set()
                passed = 0
            elif line.startswith((b"GET ", b"POST ", b"DELETE ", b"PATCH ")):
                chosen.clear()
            if chosen.is_set():
                passed += len(data)
                if self.cut_upload_after is not None and passed > self.cut_upload_after:
                    self.cuts += 1
                    return
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)
        wait_until(answering.is_set)


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """A proxy before the server at an address."""
    proxy = Proxy(int(url.rsplit(":", 1)[1]))
    try:
        yield proxy
    finally:
        proxy.close()
