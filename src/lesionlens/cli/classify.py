"""`lesionlens classify`: pictures in, a table or a file of answers out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from lesionlens.cli.app import app
from lesionlens.cli.classify_run import Where, run_in_parts, run_in_stream
from lesionlens.cli.console import EXIT_FAILED, EXIT_USAGE, errors_shown, fail, standard_error, standard_output
from lesionlens.inference.embedded import DEFAULT_MODEL
from lesionlens.inference.views import ViewCount

if TYPE_CHECKING:
    from lesionlens.bulk import Format, Found
    from lesionlens.bulk.storage import Place

__all__ = ["classify"]


@app.command()
def classify(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Picture files, folders (searched to the bottom), patterns such as '*.jpg', and URLs such as s3://bucket."
        ),
    ],
    model: Annotated[
        str, typer.Option(help="Name of an embedded model, folder of a bundle, or file of weights.")
    ] = DEFAULT_MODEL,
    engine: Annotated[str, typer.Option(help="auto, onnxruntime or openvino.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16; auto is fp32.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Compute threads; 0 for one per CPU.")] = 0,
    tta: Annotated[ViewCount, typer.Option(help="Views of a picture whose answers are averaged.")] = 1,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures in one call of the network.")] = 8,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="File for the results (.csv, .parquet, .json, .html), folder (ending in /) or - for standard output.",
        ),
    ] = None,
    format_: Annotated[
        Literal["csv", "json", "html", "parquet"] | None,
        typer.Option("--format", help="Format of the results; by default the output's ending tells."),
    ] = None,
    overlays: Annotated[str | None, typer.Option(help="Folder for heatmaps over the pictures (PNG).")] = None,
    class_: Annotated[
        str | None,
        typer.Option("--class", help="Diagnosis that heatmaps explain, such as MEL; by default the top one."),
    ] = None,
    on: Annotated[
        Literal["local", "ray"], typer.Option(help="Compute in this process, or on a Ray cluster.")
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of the cluster, auto or local; by default RAY_ADDRESS, or this machine alone."),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Workers on Ray; 0 for as many as there is room for.")] = 0,
    restart: Annotated[bool, typer.Option(help="Throw away what an earlier run left unfinished.")] = False,
    retry_errors: Annotated[
        bool, typer.Option(help="Going on, do parts again in which a picture could not be classified.")
    ] = False,
) -> None:
    """Classify pictures of skin lesions.

    Prints a table, or writes CSV, Parquet, JSON or a self-contained HTML page. A picture that cannot be used is
    reported, and the others go on. One that does not look like a dermoscopic image is classified and marked, with the
    reason.
    A run into a file or a folder that was stopped is gone on with by the same command.
    Exit code: 0 if all pictures were classified, 1 if some were not, 2 if nothing could start, 130 after Ctrl-C.

    A research tool, not a medical device: its answers are no diagnosis.
    """
    from lesionlens import DISCLAIMER, Classifier
    from lesionlens.bulk import Job, Options, Target, absolute, entries_of, find_pictures
    from lesionlens.bulk.outputs import is_stream
    from lesionlens.bulk.result import printable
    from lesionlens.bulk.storage import as_place
    from lesionlens.inference.find_model import find_model

    format_ = _format(output, format_)
    class_index = _class_index(class_)
    place = None if output in (None, "-") else as_place(output)
    heatmaps = None if overlays is None else as_place(overlays)
    options = Options(batch_size, class_index, thumbnails=format_ == "html")
    if isinstance(place, Path) and place.is_dir() and not str(output).endswith("/"):
        fail(
            f"the output {printable(place)} is a folder; name a file, or end it in / for a folder of parts", EXIT_USAGE
        )
    where = Where(on == "ray", ray_address, workers, threads=max(1, threads))
    with errors_shown(EXIT_USAGE), ExitStack() as stack:
        job = None
        if place is not None and format_ is not None and not is_stream(place):
            kind: Literal["file", "folder"] = "folder" if str(output).endswith("/") else "file"
            decides = {"paths": absolute(paths), "batch-size": batch_size, "class": class_, "html": options.thumbnails}
            decides["overlays"] = None if overlays is None else absolute([overlays])[0]
            with _writing():
                job = Job(Target(place, kind, format_), decides, restart=restart)
            stack.callback(job.close)
        if job is not None and job.earlier is not None:
            entries = list(job.earlier)
        else:
            found = find_pictures(paths)
            _check(found, paths, place, heatmaps)
            entries = entries_of(found, heatmaps)
        classifier = Classifier(
            find_model(model),
            engine=engine,
            precision=precision,
            # On a cluster this process computes nothing, and must not say that it does so in other threads.
            threads=where.threads if where.cluster else threads,
            tta=tta,
        )
        if job is not None:
            with _writing():
                job.begin(classifier.description, entries, batch_size=batch_size, retry=retry_errors)
        with errors_shown():
            if job is None:
                count, table = run_in_stream(where, classifier, entries, options, place, format_)
            else:
                count, table = run_in_parts(job, where, classifier, entries, options), None
    screen = standard_error() if table is None else standard_output()
    if table is not None:
        screen.print(table)
    summary = f"{count.in_words('picture')}. Model: " if count.failed or count.not_suitable else "Model: "
    described = classifier.description
    screen.print(f"{summary}{described['name']} {described['version']} ({described['engine']})", markup=False)
    screen.print(Text(DISCLAIMER, style="bold"))
    if count.failed:
        raise typer.Exit(EXIT_FAILED)


@contextmanager
def _writing() -> Iterator[None]:
    """Tell results that cannot be written from a command that cannot start."""
    try:
        yield
    except OSError:
        with errors_shown(EXIT_FAILED):
            raise


def _format(output: str | None, wanted: Format | None) -> Format | None:
    """Return the format of the results; None for a table."""
    if output is not None and output.endswith("/"):
        if wanted not in (None, "csv", "parquet"):
            fail(f"a folder takes csv or parquet, not {wanted}", EXIT_USAGE)
        return wanted or "parquet"
    if wanted is not None or output is None:
        return wanted
    endings: dict[str, Format] = {
        ".csv": "csv",
        ".json": "json",
        ".html": "html",
        ".htm": "html",
        ".parquet": "parquet",
    }
    ending = Path(output).suffix.lower()
    if ending not in endings:
        fail(
            f"cannot tell a format from {output!r}; end it in .csv, .json or .html, .parquet or / (for a folder), "
            "or give --format",
            EXIT_USAGE,
        )
    return endings[ending]


def _check(found: Found, paths: Sequence[str], target: Place | None, overlays: Place | None) -> None:
    """Stop before anything is replaced that should not be."""
    from lesionlens.bulk import replaced_pictures
    from lesionlens.bulk.result import printable

    if not found.files:
        reasons = "".join(f"; {printable(p)} cannot be read: {why}" for p, why in found.unreadable.items())
        fail(f"no pictures found in {', '.join(map(printable, paths))}{reasons}", EXIT_USAGE)
    if target is not None and _is_among(target, found.files):
        fail(f"the output {printable(target)} is one of the pictures; name another file", EXIT_USAGE)
    if overlays is not None and (replaced := replaced_pictures(found.files, overlays)):
        fail(
            f"a heatmap would replace the picture {printable(replaced[0])}; give --overlays another folder",
            EXIT_USAGE,
        )


def _is_among(target: Place, files: Sequence[Place]) -> bool:
    if isinstance(target, str) or not target.exists():
        return target in files
    return any(isinstance(file, Path) and file.exists() and target.samefile(file) for file in files)


def _class_index(code: str | None) -> int | None:
    from lesionlens.taxonomy import BY_CODE, canonical_code

    if code is None:
        return None
    try:
        return BY_CODE[canonical_code(code)].index
    except KeyError as error:
        fail(f"--class: {error.args[0]}", EXIT_USAGE)
