"""A real HTTP server on localhost with the manners and the faults of servers met in the wild."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What the server serves and how it behaves; tests change it while it runs."""

    files: dict[str, bytes]
    ranges: bool = True
    etags: bool = True
    s3: bool = False
    announce_length: bool = True
    extra_headers: dict[str, str] = field(default_factory=dict)
    drops: deque[int] = field(default_factory=deque)  # close the connection after so many bytes, once each
    statuses: deque[int] = field(default_factory=deque)  # answer with these first
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path and Range header
    url: str = ""

    def etag(self, path: str) -> str:
        """The MD5 in quotes, as Amazon S3 has it."""
        return f'"{hashlib.md5(self.files[path]).hexdigest()}"'


@contextmanager
def serve(server: FileServer) -> Iterator[FileServer]:
    """Run the server until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # the name is http.server's
            self.close_connection = True
            server.requests.append((self.path, self.headers.get("Range")))
            if server.statuses:
                self._answer(server.statuses.popleft(), {"Content-Length": "0", **server.extra_headers}, b"")
                return
            if self.path not in server.files:
                self._answer(404, {"Content-Length": "0"}, b"")
                return
            body, status, headers = server.files[self.path], 200, dict(server.extra_headers)
            if server.etags:
                headers["ETag"] = server.etag(self.path)
            wanted = self.headers.get("Range")
            same = self.headers.get("If-Range", "") in ("", server.etag(self.path))
            if wanted and server.ranges and same:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(body):
                    self._answer(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"}, b"")
                    return
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                body, status = body[start:], 206
            if server.announce_length:
                headers["Content-Length"] = str(len(body))
            self._answer(status, headers, body[: server.drops.popleft()] if server.drops else body)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Connection": "close", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def version_string(self) -> str:
            return "AmazonS3" if server.s3 else "test"

        def log_message(self, *args: object) -> None:
            pass  # the test log is for the tests

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{httpd.server_port}"
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
