"""`lesionlens loadtest`: how a running service holds under load."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.progress import TextColumn
from rich.table import Table

from lesionlens.cli.app import app
from lesionlens.cli.console import EXIT_FAILED, errors_shown, progress_bar, standard_error, standard_output
from lesionlens.loadtest.patterns import Pattern

if TYPE_CHECKING:
    from lesionlens.loadtest.drive import Plan
    from lesionlens.loadtest.samples import Sample
    from lesionlens.loadtest.summary import Summary

__all__ = ["loadtest"]

_SECONDS: Final = 30.0


@app.command()
@errors_shown(extra="loadtest")
def loadtest(
    url: Annotated[str, typer.Argument(help="Where the service is.")] = "http://localhost:5000",
    pattern: Annotated[Pattern, typer.Option(help="How the number of clients changes.")] = "steady",
    clients: Annotated[int, typer.Option(min=1, max=10_000, help="Most clients at once.")] = 8,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="How long requests begin.", show_default="30; no end for steady --requests"),
    ] = None,
    requests: Annotated[int | None, typer.Option(min=1, help="End after so many requests, if not before.")] = None,
    photos: Annotated[
        list[Path] | None,
        typer.Option("--photo", help="Picture or folder to send, repeatable; a drawn one if none is given."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds after which a request has failed.")] = 60.0,
    impatient: Annotated[
        bool, typer.Option("--impatient", help="Come again at once when turned away, whatever Retry-After says.")
    ] = False,
    api_key: Annotated[
        str | None, typer.Option(envvar="LESIONLENS_LOADTEST_API_KEY", help="Key for a service that asks for one.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Page (.html) with latency and throughput over time.")
    ] = None,
    json_: Annotated[Path | None, typer.Option("--json", help="File for the figures.")] = None,
) -> None:
    """Put a running service under load, and look at every answer.

    Clients send photos to POST /predict one after the other, each over a connection of its own. Answers are compared
    with the one that the photo got when it was sent alone. Exit code: 0 if every request was answered so or turned
    away in good order (429 or 503 with Retry-After), 1 otherwise. Only for services that are yours.
    """
    from lesionlens.loadtest.drive import Plan, run_load
    from lesionlens.loadtest.photos import read_photos
    from lesionlens.loadtest.summary import summarise

    if output is not None:
        from lesionlens.loadtest.page import load_page  # before the test: afterwards is late for a missing package
    if seconds is None:
        seconds = math.inf if requests is not None and pattern == "steady" else _SECONDS
    plan = Plan(
        url=url.rstrip("/"),
        photos=read_photos(photos or []),
        pattern=pattern,
        clients=clients,
        seconds=seconds,
        requests=requests,
        timeout=timeout,
        patient=not impatient,
        api_key=api_key,
    )
    summary = summarise(_run(plan, run_load))
    standard_output().print(_table(summary))
    if json_ is not None:
        json_.write_text(json.dumps(summary.to_json(), indent=2) + "\n", encoding="utf-8")
    if output is not None:
        output.write_text(load_page(plan, summary), encoding="utf-8")
        standard_error().print(f"The page is {output}.", soft_wrap=True)
    if summary.failed:
        raise typer.Exit(EXIT_FAILED)


def _run(plan: Plan, run_load: Callable[..., Coroutine[Any, Any, list[Sample]]]) -> list[Sample]:
    with progress_bar(TextColumn("{task.fields[counts]}")) as progress:
        task = progress.add_task(f"{plan.pattern}, {plan.clients} clients", total=1.0, counts="")
        counts = {"answered": 0, "turned away": 0, "failed": 0}

        def seen(sample: Sample) -> None:
            counts["failed" if sample.failed else "answered" if sample.answered else "turned away"] += 1
            done = (sample.begun + sample.seconds) / plan.seconds
            if plan.requests is not None:
                done = max(done, sum(counts.values()) / plan.requests)
            told = " · ".join(f"{count:,} {what}" for what, count in counts.items())
            progress.update(task, completed=min(1.0, done), counts=told)

        return asyncio.run(run_load(plan, seen))


def _table(summary: Summary) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("requests", f"{summary.requests:,}")
    table.add_row("answered, each as the photo alone", f"{summary.answered:,}")
    table.add_row("turned away (429 or 503, with Retry-After)", f"{summary.turned_away:,}")
    table.add_row("failed", f"{summary.failed:,}", style="bold red" if summary.failed else None)
    for error, count in list(summary.errors.items())[:10]:
        table.add_row(f"  {error}", f"{count:,}")
    table.add_row("answers a second", f"{summary.per_second:,.1f}")
    for name, latency in (("answers", summary.latency), ("refusals", summary.refusal)):
        if latency is not None:
            quantiles = (latency.p50, latency.p90, latency.p99, latency.largest)
            told = " · ".join(f"{1000 * q:,.0f}" for q in quantiles)
            table.add_row(f"{name}: median · 90 % · 99 % · slowest, ms", told)
    return table
