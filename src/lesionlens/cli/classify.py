"""`lesionlens classify`: pictures in, a table or a file of answers out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import MofNCompleteColumn, Progress, ProgressColumn, Task
from rich.table import Table
from rich.text import Text

from lesionlens.cli.app import app
from lesionlens.cli.console import (
    EXIT_FAILED,
    EXIT_USAGE,
    errors_shown,
    fail,
    progress_bar,
    standard_error,
    standard_output,
)
from lesionlens.inference.embedded import DEFAULT_MODEL
from lesionlens.inference.views import ViewCount

if TYPE_CHECKING:
    from lesionlens.bulk import Format, Result

__all__ = ["classify"]


@app.command()
def classify(
    paths: Annotated[
        list[str], typer.Argument(help="Picture files, folders (searched to the bottom) and patterns such as '*.jpg'.")
    ],
    model: Annotated[
        str, typer.Option(help="Name of an embedded model, folder of a bundle, or file of weights.")
    ] = DEFAULT_MODEL,
    engine: Annotated[str, typer.Option(help="auto, onnxruntime or openvino.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Compute threads; 0 for one per CPU.")] = 0,
    tta: Annotated[ViewCount, typer.Option(help="Views of a picture whose answers are averaged.")] = 1,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures in one call of the network.")] = 8,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="File for the results (.csv, .json or .html); - for standard output."),
    ] = None,
    format_: Annotated[
        Literal["csv", "json", "html"] | None,
        typer.Option("--format", help="Format of the results; by default the output's ending tells."),
    ] = None,
    overlays: Annotated[Path | None, typer.Option(help="Folder for heatmaps over the pictures (PNG).")] = None,
    class_: Annotated[
        str | None,
        typer.Option("--class", help="Diagnosis that heatmaps explain, such as MEL; by default the top one."),
    ] = None,
) -> None:
    """Classify pictures of skin lesions.

    Prints a table, or writes CSV, JSON or a self-contained HTML page. A picture that cannot be used is reported, and
    the others go on. One that does not look like a dermoscopic image is classified and marked, with the reason.
    Exit code: 0 if all pictures were classified, 1 if some were not, 2 if nothing could start.

    A research tool, not a medical device: its answers are no diagnosis.
    """
    from lesionlens import DISCLAIMER, Classifier
    from lesionlens.bulk import Result, classify_files, find_pictures, open_writer, replaced_pictures
    from lesionlens.bulk.result import Count, printable
    from lesionlens.inference.find_model import find_model

    format_ = _format(output, format_)
    class_index = _class_index(class_)
    target = Path(output) if output not in (None, "-") else None
    with errors_shown(EXIT_USAGE):
        files, fruitless, unreadable = find_pictures(paths)
        if target is not None and target.is_dir():
            fail(f"the output {printable(target)} is a folder; name a file", EXIT_USAGE)
        if target is not None and target.exists() and any(target.samefile(file) for file in files if file.exists()):
            fail(f"the output {printable(target)} is one of the pictures; name another file", EXIT_USAGE)
        if overlays is not None and (replaced := replaced_pictures(files, overlays)):
            fail(
                f"a heatmap would replace the picture {printable(replaced[0])}; give --overlays another folder",
                EXIT_USAGE,
            )
    nothing = [Result(printable(p), error="there is no such file, and no picture in it") for p in fruitless]
    nothing += [Result(printable(p), error=f"the folder cannot be read: {why}") for p, why in unreadable.items()]
    if not files:
        reasons = "".join(f"; {printable(p)} cannot be read: {why}" for p, why in unreadable.items())
        fail(f"no pictures found in {', '.join(map(printable, paths))}{reasons}", EXIT_USAGE)
    with errors_shown(EXIT_USAGE):
        classifier = Classifier(find_model(model), engine=engine, threads=threads, tta=tta)
    rule = classifier.manifest.prediction_set
    table, count = _table(None if rule is None else rule.coverage), Count()
    with errors_shown(), ExitStack() as stack:
        writer = None
        if format_ is not None:
            writer = stack.enter_context(open_writer(target, format_, classifier.description))
        bar = stack.enter_context(progress_bar(MofNCompleteColumn(), _RateColumn()))
        stream: Iterable[Result] = classify_files(
            classifier,
            files,
            batch_size=batch_size,
            class_index=class_index,
            overlays=overlays,
            thumbnails=format_ == "html",
        )
        for result in _tracked(_chain(nothing, stream), bar, len(files) + len(nothing)):
            count.add(result)
            if result.error is not None:
                bar.console.print(Text(f"{result.file}: {result.error}", style="red"), soft_wrap=True)
            if writer is None:
                _add_row(table, result)
            else:
                writer.write(result)
    screen = standard_output() if writer is None else standard_error()
    if writer is None:
        screen.print(table)
    summary = f"{count.in_words('picture')}. Model: " if count.failed or count.not_suitable else "Model: "
    described = classifier.description
    screen.print(f"{summary}{described['name']} {described['version']} ({described['engine']})", markup=False)
    screen.print(Text(DISCLAIMER, style="bold"))
    if count.failed:
        raise typer.Exit(EXIT_FAILED)


def _format(output: str | None, wanted: Format | None) -> Format | None:
    """Return the format of the results; None for a table."""
    if wanted is not None or output is None:
        return wanted
    endings: dict[str, Format] = {".csv": "csv", ".json": "json", ".html": "html", ".htm": "html"}
    ending = Path(output).suffix.lower()
    if ending not in endings:
        fail(f"cannot tell a format from {output!r}; end it in .csv, .json or .html, or give --format", EXIT_USAGE)
    return endings[ending]


def _class_index(code: str | None) -> int | None:
    from lesionlens.taxonomy import BY_CODE, canonical_code

    if code is None:
        return None
    try:
        return BY_CODE[canonical_code(code)].index
    except KeyError as error:
        fail(f"--class: {error.args[0]}", EXIT_USAGE)


def _table(coverage: float | None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("File", overflow="fold")
    table.add_column("Answer", overflow="fold")
    table.add_column("Confidence", justify="right", no_wrap=True)
    table.add_column("Malignant", justify="right", no_wrap=True)
    if coverage is not None:
        table.add_column(f"{coverage:.0%} set", overflow="fold")
    return table


def _add_row(table: Table, result: Result) -> None:
    from lesionlens.doubt import NOT_DERMOSCOPIC

    file = Text(result.file)
    if result.error is not None:
        table.add_row(file, Text(f"Not classified: {result.error}", style="red"))
        return
    numbers = [f"{result.confidence:.0%}", f"{result.malignant_probability:.0%}"]
    if result.suitable:
        possible = [] if result.prediction_set is None else [" ".join(result.prediction_set)]
        table.add_row(file, Text(result.answer_in_words), *numbers, *possible)
        return
    # No prediction set: what sets cover was never measured on such pictures.
    # Reasons come the strongest first; files of results have them all.
    doubt = Text(f"! {' '.join((NOT_DERMOSCOPIC, *result.reasons[:1]))}", style="bold")
    doubt.append(f" Not to be relied on: {result.answer_in_words}", style="not bold dim")
    table.add_row(file, doubt, *(Text(number, style="dim") for number in numbers))


def _chain(first: Iterable[Result], second: Iterable[Result]) -> Iterator[Result]:
    yield from first
    yield from second


def _tracked(results: Iterable[Result], bar: Progress, total: int) -> Iterator[Result]:
    task = bar.add_task("classifying", total=total)
    for result in results:
        yield result
        bar.advance(task)


class _RateColumn(ProgressColumn):
    """Pictures a second."""

    def render(self, task: Task) -> Text:
        """Show the rate."""
        return Text(f"{task.speed:.1f} pictures/s" if task.speed else "")
