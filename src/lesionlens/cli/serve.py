"""`lesionlens serve`: the HTTP service and the page."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesionlens.cli.app import app
from lesionlens.cli.console import EXIT_FAILED, errors_shown
from lesionlens.inference.embedded import DEFAULT_MODEL
from lesionlens.inference.views import ViewCount

if TYPE_CHECKING:
    from lesionlens.settings import Settings

__all__ = ["serve"]


@app.command()
@errors_shown()
def serve(
    model: Annotated[
        str | None,
        typer.Option(help="Embedded model, bundle folder, or file of weights.", show_default=DEFAULT_MODEL),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.", show_default="5000")] = None,
    engine: Annotated[str | None, typer.Option(help="auto, onnxruntime or openvino.", show_default="auto")] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, fp32 or bf16; auto is fp32.", show_default="auto")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Compute threads; 0 for one per usable CPU.", show_default="0")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; one that dies or hangs is replaced.", show_default="1")
    ] = None,
    tta: Annotated[
        ViewCount | None, typer.Option(help="Views of a photo whose answers are averaged.", show_default="1")
    ] = None,
) -> None:
    """Serve the page, the HTTP API and the SkinTracker contract.

    Every option can also be set in the environment; an option given here takes precedence. See docs/serving.md.
    """
    from lesionlens.settings import load_settings

    given = {
        "model": model,
        "host": host,
        "port": port,
        "engine": engine,
        "precision": precision,
        "threads": threads,
        "workers": workers,
        "tta": tta,
    }
    given = {name: value for name, value in given.items() if value is not None}
    settings = load_settings(**given)
    with _errors_logged(settings):
        if settings.workers == 1:
            _run(settings)
        else:
            _supervise(settings, given)


@contextlib.contextmanager
def _errors_logged(settings: Settings) -> Iterator[None]:
    """Have an error that ends the program be a line like all others, where a program reads them."""
    from lesionlens.errors import LesionLensError

    try:
        yield
    except LesionLensError as error:
        if settings.log_format != "json":
            raise
        import structlog

        from lesionlens.api.logs import configure_logging

        configure_logging(settings)  # the error may have come before
        structlog.stdlib.get_logger("lesionlens").critical("the service cannot start", reason=str(error))
        raise typer.Exit(EXIT_FAILED) from error


def _run(settings: Settings) -> None:
    """Serve in this process."""
    from lesionlens.api.access import check_settings
    from lesionlens.api.allocator import keep_freed_memory
    from lesionlens.api.app import create_app, load_classifier
    from lesionlens.api.force_end import force_end
    from lesionlens.api.logs import configure_logging
    from lesionlens.api.server import Server, listen
    from lesionlens.api.tracing_settings import check_tracing

    keep_freed_memory()
    check_settings(settings)  # before the model is loaded, which takes a while
    check_tracing()
    configure_logging(settings)
    with listen(settings.host, settings.port) as listener:
        classifier = load_classifier(settings)
        _announce(settings, classifier.description, _url(listener))
        # After its orderly end on Ctrl-C, uvicorn raises KeyboardInterrupt again.
        with contextlib.suppress(KeyboardInterrupt), force_end(settings) as ending:
            Server(create_app(settings, classifier), ending).run(sockets=[listener])


def _supervise(settings: Settings, given: dict[str, Any]) -> None:
    """Serve in several processes."""
    from lesionlens.api.access import check_settings
    from lesionlens.api.logs import configure_logging
    from lesionlens.api.server import listen
    from lesionlens.api.tracing_settings import check_tracing
    from lesionlens.api.workers.supervise import supervise

    check_settings(settings)
    check_tracing()
    configure_logging(settings)
    with listen(settings.host, settings.port) as listener:
        url = _url(listener)
        status = supervise(settings, given, listener, lambda model: _announce(settings, model, url))
    if status == -signal.SIGTERM:
        # Whoever sent it sees that it is what ended the process, as it does with a single one.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    if status > 0:
        raise typer.Exit(status)


def _url(listener: socket.socket) -> str:
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _announce(settings: Settings, model: dict[str, Any], url: str) -> None:
    """Tell a person, or a log collector, what is served and what it is not."""
    from lesionlens import DISCLAIMER, __version__

    tracker = _describe_tracker(settings)
    if settings.log_format == "json":
        import structlog

        log = structlog.stdlib.get_logger("lesionlens")
        processes = settings.workers
        log.info("serving", url=url, model=model, workers=processes, tracker=tracker, disclaimer=DISCLAIMER)
        return
    from rich.console import Console
    from rich.markup import escape

    about = escape(f"{model['name']} {model['version']} ({model['architecture']}, {model['engine']})")
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]LesionLens {__version__}[/]")
    console.print(f"  Listening on  [bold]{escape(url)}[/]")
    console.print(f"  Reference     {escape(url)}/docs")
    console.print(f"  Model         {about}")
    if settings.workers > 1:
        console.print(f"  Workers       {settings.workers}")
    console.print(f"  Tracker       {escape(tracker)}")
    console.print(f"[yellow]{DISCLAIMER}[/]")


def _describe_tracker(settings: Settings) -> str:
    """Say where the records lie and who may use them, or why there are none."""
    from lesionlens.api.access import describe_protection, why_off
    from lesionlens.errors import SettingsError
    from lesionlens.tracker.database.address import database_url
    from lesionlens.tracker.settings import load_tracker_settings

    reason = why_off(settings)
    if reason is not None:
        return f"off. {reason}"
    try:
        place = load_tracker_settings()
        where = str(place.data_dir)
        if place.database_url is not None:
            url = database_url(place.data_dir, place.database_url.get_secret_value())
            where += f" and {url.render_as_string(hide_password=True)}"
    except SettingsError as error:  # the service runs without records then
        return f"off. {error}"
    return f"{where}, {describe_protection(settings)}"
