"""One log, in one form, for the service and the server under it.

No line ever holds a file's name or a photo's bytes; tracebacks are plain, without the values of local variables, which
could hold both.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog

from lesionlens.settings import Settings

__all__ = ["configure_logging"]


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
        render = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
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
    # What the tables were brought up to is worth a line; the parts that Alembic consists of are not, at each start.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
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
