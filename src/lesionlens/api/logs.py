"""One log, in one form, for the service and the server under it.

No line ever holds a file's name or a photo's bytes; tracebacks are plain, without the values of local variables, which
could hold both. In JSON every line is one object with `timestamp`, `level`, `logger` and `event`, within a request also
`request_id`, where requests are traced `trace_id`, and of an exception `exception.type`, `exception.message` and
`exception.stacktrace`, the names of OpenTelemetry's conventions. Warnings of Python and exceptions that nobody caught
are lines like any other.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

from lesionlens.settings import Settings

__all__ = ["configure_logging"]

# At level debug Pillow tells the values of a photo's tags, such as a name, and python-multipart how it reads a form.
_OF_PHOTOS: Final = {"PIL": logging.WARNING, "python_multipart": logging.WARNING}


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log line of this process to one place. Call it once, in a program, never in a library.

    Args:
        settings: Gives `log_level` and `log_format`.
        stream: Where lines go; None for standard error.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    target = stream or sys.stderr
    render: list[Any]
    if settings.log_format == "json":
        render = [_tell_exception, structlog.processors.JSONRenderer()]
    else:
        # Colours are for a person at a terminal; in a file they are litter.
        render = [
            structlog.dev.ConsoleRenderer(colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    # What the tables were brought up to is worth a line; how Alembic is made up is not, at each start.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    logging.getLogger("alembic.runtime.migration").addFilter(_says_what_was_done)
    logging.captureWarnings(True)
    for library, level in _OF_PHOTOS.items():
        logging.getLogger(library).setLevel(level)
    # Of odd metadata, of no use to anybody here; and Python keeps the words of each one that it has shown for good.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    if settings.log_format == "json":  # plain text between the lines would be lost on whatever reads them
        sys.excepthook = _log_unhandled
        threading.excepthook = _log_ended_thread
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _says_what_was_done(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or not str(record.msg).startswith(("Context impl", "Will assume"))


def _tell_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by fields that can be searched for."""
    given = event.pop("exc_info", None)
    if isinstance(given, BaseException):
        given = (type(given), given, given.__traceback__)
    elif given and not isinstance(given, tuple):
        given = sys.exc_info()
    if given and given[0] is not None:
        event["exception.type"] = given[0].__qualname__
        event["exception.message"] = str(given[1])
        event["exception.stacktrace"] = "".join(traceback.format_exception(*given)).rstrip()
    return event


def _log_unhandled(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logging.getLogger("lesionlens").critical("the program failed", exc_info=(kind, error, trace))


def _log_ended_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        name = ended.thread.name if ended.thread else "unknown"
        log = logging.getLogger("lesionlens")
        log.error("the thread %s failed", name, exc_info=(ended.exc_type, ended.exc_value, ended.exc_traceback))
