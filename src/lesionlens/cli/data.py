"""`lesionlens data fetch`, `check` and `folds`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import DownloadColumn, MofNCompleteColumn, Progress, TaskID, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from lesionlens.cli.app import app
from lesionlens.cli.console import EXIT_FAILED, EXIT_USAGE, errors_shown, fail, progress_bar, standard_output

if TYPE_CHECKING:
    from rich.console import Console

    from lesionlens.datasets.catalogue import Collection
    from lesionlens.datasets.check import Report

__all__ = ["check", "fetch", "folds"]

data_app = typer.Typer(no_args_is_help=True, help="Fetch, check and split training data.")
app.add_typer(data_app, name="data")

_EXAMPLES = 5


@data_app.command()
def fetch(
    collection: Annotated[Literal["isic2019", "isic2018"], typer.Argument(help="Which data set.")],
    folder: Annotated[Path, typer.Argument(help="Folder for the data.")],
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the licence without being asked.")
    ] = False,
    base_url: Annotated[str | None, typer.Option(help="Address of a mirror, instead of the ISIC Archive.")] = None,
    keep_archives: Annotated[bool, typer.Option("--keep-archives", help="Keep zips after unpacking them.")] = False,
    attempts: Annotated[int, typer.Option(min=1, help="How often to try again without progress.")] = 5,
) -> None:
    """Download a published ISIC data set and unpack it.

    An interrupted download goes on where it stopped. What is there already is checked and left alone.
    """
    from lesionlens.datasets.catalogue import BASE_URL, COLLECTIONS

    with errors_shown(EXIT_USAGE):
        from lesionlens.datasets.fetch import fetch as fetch_collection
    wanted, screen = COLLECTIONS[collection], standard_output()
    _show_licence(wanted, screen)
    if not accept_licence:
        if not sys.stdin.isatty():
            fail("accept the licence with --accept-licence, or run this in a terminal", EXIT_USAGE)
        typer.confirm("Do you accept the licence?", abort=True)
    with errors_shown(), progress_bar(DownloadColumn(), TransferSpeedColumn()) as bar:
        outcomes = fetch_collection(
            wanted,
            folder,
            base_url=base_url or BASE_URL,
            keep_archives=keep_archives,
            attempts=attempts,
            progress=_Steps(bar),
        )
    for name, outcome in outcomes.items():
        screen.print(Text(f"{name}: {outcome}"), soft_wrap=True)
    screen.print(Text(f"Check it: lesionlens data check {folder}"), soft_wrap=True)


@data_app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Data folder: label tables and pictures, unpacked or in tars.")],
    quick: Annotated[bool, typer.Option("--quick", help="Do not decode the pictures.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say what is missing, unreadable or contradictory in a data folder.

    Exit code: 0 if it can be trained on, 1 if something would stop or mislead training, 2 if it is no data folder.
    """
    from lesionlens.datasets.check import check as check_folder

    with errors_shown(EXIT_USAGE), progress_bar(MofNCompleteColumn()) as bar:
        report = check_folder(folder, quick=quick, progress=_Steps(bar))
    if as_json:
        _print_json(report)
    else:
        _print_report(report, quick, standard_output())
    if report.serious:
        raise typer.Exit(EXIT_FAILED)


@data_app.command()
@errors_shown()
def folds(
    folder: Annotated[Path, typer.Argument(help="Data folder: official label tables and pictures.")],
    number: Annotated[int, typer.Option(min=2, help="Number of folds.")] = 5,
    seed: Annotated[int, typer.Option(help="Makes the split repeatable.")] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a folds file that is there.")] = False,
) -> None:
    """Split a data folder into folds, stratified by class, with no lesion and no byte-identical copy in two of them."""
    from lesionlens.datasets import ImageSource, read_samples
    from lesionlens.datasets.copies import join_copies
    from lesionlens.datasets.folds import assign_folds, write_folds
    from lesionlens.datasets.layout import FOLDS_NAME

    path = folder / FOLDS_NAME
    if path.exists() and not replace:
        fail(f"{path} is there already; give --replace to make it anew", EXIT_USAGE)
    labelled, source = read_samples(folder), ImageSource(folder)
    with progress_bar(MofNCompleteColumn()) as bar:
        joined = join_copies(labelled, source, _Steps(bar))
    samples = assign_folds(joined, number, seed)
    write_folds(samples, path)
    sizes = ", ".join(f"{sum(s.fold == fold for s in samples):,}" for fold in range(number))
    screen = standard_output()
    screen.print(Text(f"Wrote {path}: {len(samples):,} pictures in folds of {sizes}"), soft_wrap=True)
    if copies := len({s.group for s in labelled}) - len({s.group for s in joined}):
        screen.print(Text(f"Joined groups that hold the same file: {copies:,} fewer than before"), soft_wrap=True)
    if missing := sum(s.image not in source for s in samples):
        screen.print(
            Text(
                f"Rows without a picture, which could not be compared: {missing:,}; see lesionlens data check {folder}"
            ),
            soft_wrap=True,
        )


class _Steps:
    """Shows each step as a bar of its own."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: str, done: int, total: int | None) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._bar.add_task(step, total=total)
        self._bar.update(self._tasks[step], completed=done, total=total)


def _show_licence(collection: Collection, screen: Console) -> None:
    screen.print(Text(collection.title, style="bold"), soft_wrap=True)
    screen.print(Text(f"Licence: {collection.licence}, {collection.licence_url}"), soft_wrap=True)
    screen.print(Text(collection.terms), soft_wrap=True)
    screen.print("Cite:")
    for citation in collection.citations:
        screen.print(Text(f"  - {citation}"), soft_wrap=True)


def _print_report(report: Report, quick: bool, screen: Console) -> None:
    counts = ", ".join(f"{code} {n:,}" for code, n in report.class_counts.items())
    screen.print(Text(f"{report.table}: {report.rows:,} rows; {report.pictures:,} pictures"), soft_wrap=True)
    screen.print(Text(f"Labels: {counts}"), soft_wrap=True)
    if quick:
        screen.print("Pictures were not decoded (--quick); damaged ones are not found.")
    if not report.findings:
        screen.print("Nothing is wrong.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "Problem", "Count", "Such as"):
        table.add_column(title, overflow="fold", justify="right" if title == "Count" else "left")
    for problem, serious in dict.fromkeys((f.problem, f.serious) for f in report.findings):
        such = [f for f in report.findings if (f.problem, f.serious) == (problem, serious)]
        examples = "; ".join(f"{f.subject} ({f.detail})" if f.detail else f.subject for f in such[:_EXAMPLES])
        more = f"; and {len(such) - _EXAMPLES:,} more" if len(such) > _EXAMPLES else ""
        mark = Text("error", style="red") if serious else Text("note")
        table.add_row(mark, problem.value, f"{len(such):,}", Text(examples + more))
    screen.print(table)
    if not report.serious:
        screen.print("Nothing that would stop or mislead training.")


def _print_json(report: Report) -> None:
    import json
    from dataclasses import asdict

    typer.echo(json.dumps(asdict(report) | {"serious": report.serious}, indent=2, ensure_ascii=False))
