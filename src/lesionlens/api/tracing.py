"""OpenTelemetry traces of requests, where the standard `OTEL_*` variables ask for them.

A request is one span, and each stage of its photo and each piece of work on the records is a span under it. They go to
an OTLP/HTTP collector in the background; one that cannot be reached costs traces, never an answer. Where nothing is
configured, nothing of OpenTelemetry's SDK is imported and `span` costs the look at one variable.

A span tells the route, the status, the request's id and numbers of the service's own: nothing of a photo, no file name,
no address, nothing that a client wrote but the id and the trace context.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog
from starlette.datastructures import Headers
from starlette.types import Scope

from lesionlens.api.tracing_settings import check_tracing
from lesionlens.version import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, SpanContext, Tracer

__all__ = ["Tracing", "here", "record", "span", "trace_request", "tracing_from_environment"]

Attributes = Mapping[str, str | int | float | bool]
Tell = Callable[[str, int], None]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNTRACED: Final = frozenset({"/livez", "/readyz", "/health", "/metrics"})  # asked every few seconds, by machines
_FLUSH_SECONDS: Final = 5.0


class _Traced(NamedTuple):
    """What a traced request has.

    Attributes:
        tracer: Makes its spans.
        epoch: Nanoseconds from 1970 to the beginning of `time.perf_counter`, the same for all spans of the request.
    """

    tracer: Tracer
    epoch: int


_traced: ContextVar[_Traced | None] = ContextVar("lesionlens_traced", default=None)
_NOTHING: Final = contextlib.nullcontext()


class Tracing:
    """The traces of one app: where they go, from its start to its end."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None
        self._exporter: SpanExporter | None = None
        self._tracer: Tracer | None = None

    def open(self) -> None:
        """Begin to trace. The SDK reads its own variables (`OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`, …)."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create().merge(Resource({"service.version": __version__}))
        if str(resource.attributes["service.name"]).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": "lesionlens"}))
        self._exporter = OTLPSpanExporter()
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("lesionlens", __version__)

    def close(self) -> None:
        """Send what is left and stop; blocks for five seconds at most, however silent the collector is."""
        if self._provider is None or self._exporter is None:
            return
        ending = threading.Thread(target=self._provider.shutdown, name="lesionlens-traces", daemon=True)
        ending.start()
        ending.join(_FLUSH_SECONDS)
        if ending.is_alive():
            self._exporter.shutdown()  # wakes it from waiting for its next attempt
        self._provider = self._exporter = self._tracer = None

    @contextlib.contextmanager
    def request(self, scope: Scope, request_id: str) -> Iterator[Tell]:
        """Trace what is done inside as one request, under the caller's span if it sent one (W3C `traceparent`).

        Log lines inside carry the `trace_id`.

        Args:
            scope: The request's ASGI scope.
            request_id: Its id.

        Yields:
            What is to be told the route's pattern and the status at the end.
        """
        if self._tracer is None or scope["path"] in _UNTRACED:
            yield _ignore
            return
        from opentelemetry.trace import SpanKind, format_trace_id
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        headers = Headers(scope=scope)
        parent = TraceContextTextMapPropagator().extract(
            {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        )
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        attributes = {"http.request.method": method, "lesionlens.request_id": request_id}
        token = _traced.set(_Traced(self._tracer, time.time_ns() - time.perf_counter_ns()))
        try:
            with (
                self._tracer.start_as_current_span(
                    method, context=parent, kind=SpanKind.SERVER, attributes=attributes, **_OWN_WORDS
                ) as current,
                structlog.contextvars.bound_contextvars(trace_id=format_trace_id(current.get_span_context().trace_id)),
                _told_of_errors(current),
            ):
                yield lambda route, status: _finish(current, method, route, status)
        finally:
            _traced.reset(token)


def tracing_from_environment() -> Tracing | None:
    """Return what the variables ask for; None where they ask for no traces.

    Raises:
        SettingsError: As `lesionlens.api.tracing_settings.check_tracing`.
    """
    return Tracing() if check_tracing() else None


def trace_request(tracing: Tracing | None, scope: Scope, request_id: str) -> AbstractContextManager[Tell]:
    """Trace a request if the app traces; see `Tracing.request`."""
    return contextlib.nullcontext(_ignore) if tracing is None else tracing.request(scope, request_id)


def span(name: str, attributes: Attributes | None = None) -> AbstractContextManager[None]:
    """Trace what is done inside as a part of the request, or piece of work, that this is in; nothing without one.

    Args:
        name: What is done, one of a few names.
        attributes: Numbers and names of the service's own, nothing that a client sent.
    """
    traced = _traced.get()
    return _NOTHING if traced is None else _child(traced.tracer, name, attributes or {})


def record(
    name: str, begun: float, ended: float, attributes: Attributes | None = None, links: Iterable[Any] = ()
) -> None:
    """Trace something that another thread has done for the request that this is in.

    Args:
        name: What was done.
        begun: When, by `time.perf_counter`, in seconds.
        ended: Likewise.
        attributes: As of `span`.
        links: What `here` returned in other requests that it was done for at the same time.
    """
    traced = _traced.get()
    if traced is None:
        return
    from opentelemetry.trace import Link

    traced.tracer.start_span(
        name,
        attributes=dict(attributes or {}),
        links=[Link(context) for context in links if context is not None],
        start_time=traced.epoch + int(begun * 1e9),
    ).end(traced.epoch + int(ended * 1e9))


def here() -> SpanContext | None:
    """Return what says which span this is in, for `record`; None where nothing is traced."""
    if _traced.get() is None:
        return None
    from opentelemetry.trace import get_current_span

    return get_current_span().get_span_context()


# An exception's text may name files, and its traceback is in the log, under the same trace id.
_OWN_WORDS: Final[dict[str, Any]] = {"record_exception": False, "set_status_on_exception": False}


@contextlib.contextmanager
def _child(tracer: Tracer, name: str, attributes: Attributes) -> Iterator[None]:
    with (
        tracer.start_as_current_span(name, attributes=dict(attributes), **_OWN_WORDS) as current,
        _told_of_errors(current),
    ):
        yield


@contextlib.contextmanager
def _told_of_errors(current: Span) -> Iterator[None]:
    try:
        yield
    except BaseException as error:  # being cancelled is no failure, but it ends a span
        current.set_attribute("error.type", type(error).__qualname__)
        raise


def _finish(current: Span, method: str, route: str, status: int) -> None:
    from opentelemetry.trace import StatusCode

    current.update_name(f"{method} {route}")
    current.set_attribute("http.route", route)
    current.set_attribute("http.response.status_code", status)
    if status >= 500:  # a 4xx is the client's fault: OpenTelemetry's semantic conventions for HTTP servers
        current.set_attribute("error.type", str(status))
        current.set_status(StatusCode.ERROR)


def _ignore(_route: str, _status: int) -> None:
    pass
