"""A collector of OpenTelemetry traces, as far as tests need one: OTLP over HTTP, protobuf, in memory."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

__all__ = ["Collector", "Sent", "collecting", "collector", "no_otel_variables"]


@dataclass(frozen=True)
class Sent:
    """A span as it arrived; ids are hexadecimal, times nanoseconds since 1970."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    start: int
    end: int
    attributes: dict[str, Any]
    links: tuple[str, ...]
    failed: bool
    resource: dict[str, Any] = field(compare=False)


class Collector:
    """What has arrived."""

    def __init__(self) -> None:
        self.spans: list[Sent] = []
        self.problems: list[str] = []
        self.raw = b""
        self.url = ""

    def take(self, path: str, headers: Any, body: bytes) -> None:
        """Read one request."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        if path != "/v1/traces" or headers["Content-Type"] != "application/x-protobuf":
            self.problems.append(f"{path} {headers['Content-Type']}")
            return
        if headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.raw += body
        request = ExportTraceServiceRequest.FromString(body)
        for group in request.resource_spans:
            resource = _attributes(group.resource.attributes)
            for scope in group.scope_spans:
                self.spans += [_read(span, resource) for span in scope.spans]

    def named(self, name: str) -> list[Sent]:
        """The spans of a name, in the order of their start."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.start)

    def under(self, parent: Sent) -> dict[str, Sent]:
        """The children of a span by name."""
        return {span.name: span for span in self.spans if span.parent == parent.id and span.trace == parent.trace}


def _read(span: Any, resource: dict[str, Any]) -> Sent:
    return Sent(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        kind=span.kind,
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        links=tuple(link.span_id.hex() for link in span.links),
        failed=span.status.code == 2,
        resource=resource,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector on a free port of this machine."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch, no_otel_variables: None) -> Iterator[Collector]:
    """A collector, and the variable that names it."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed")
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector
    assert not collector.problems


@pytest.fixture
def no_otel_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is set where the tests run away from them."""
    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)
