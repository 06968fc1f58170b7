"""`lesionlens serve`: the HTTP service and the page."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from lesionlens.cli.app import app
from lesionlens.cli.console import errors_shown
from lesionlens.inference.embedded import DEFAULT_MODEL
from lesionlens.inference.views import ViewCount

if TYPE_CHECKING:
    from lesionlens.classifier import Classifier
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
    threads: Annotated[
        int | None, typer.Option(help="Compute threads; 0 for one per usable CPU.", show_default="0")
    ] = None,
    tta: Annotated[
        ViewCount | None, typer.Option(help="Views of a photo whose answers are averaged.", show_default="1")
    ] = None,
) -> None:
    """Serve the page, the HTTP API and the SkinTracker contract.

    Every option can also be set in the environment; an option given here takes precedence. See docs/serving.md.
    """
    from lesionlens.settings import load_settings

    given = {"model": model, "host": host, "port": port, "engine": engine, "threads": threads, "tta": tta}
    _run(load_settings(**{name: value for name, value in given.items() if value is not None}))


def _run(settings: Settings) -> None:
    from lesionlens.api.access import check_settings
    from lesionlens.api.app import create_app, load_classifier
    from lesionlens.api.logs import configure_logging
    from lesionlens.api.server import Server, listen

    check_settings(settings)  # before the model is loaded, which takes a while
    configure_logging(settings)
    with listen(settings.host, settings.port) as listener:
        classifier = load_classifier(settings)
        address, port = listener.getsockname()[:2]
        _announce(settings, classifier, f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}")
        # After its orderly end on Ctrl-C, uvicorn raises KeyboardInterrupt again.
        with contextlib.suppress(KeyboardInterrupt):
            Server(create_app(settings, classifier)).run(sockets=[listener])


def _announce(settings: Settings, classifier: Classifier, url: str) -> None:
    """Tell a person, or a log collector, what is served and what it is not."""
    from lesionlens import DISCLAIMER, __version__

    model = classifier.description
    tracker = _describe_tracker(settings)
    if settings.log_format == "json":
        import structlog

        log = structlog.stdlib.get_logger("lesionlens")
        log.info("serving", url=url, model=model, tracker=tracker, disclaimer=DISCLAIMER)
        return
    from rich.console import Console
    from rich.markup import escape

    about = escape(f"{model['name']} {model['version']} ({model['architecture']}, {model['engine']})")
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]LesionLens {__version__}[/]")
    console.print(f"  Listening on  [bold]{escape(url)}[/]")
    console.print(f"  Reference     {escape(url)}/docs")
    console.print(f"  Model         {about}")
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
