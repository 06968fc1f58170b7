"""How `lesionlens classify` does its work: in a stream for a table or a pipe, in parts for a file or a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from lesionlens.cli.classify_table import add_row, new_table, watched
from lesionlens.cli.console import standard_error

if TYPE_CHECKING:
    from rich.table import Table

    from lesionlens.bulk import Count, Entry, Format, Job, Options, Result, Runner
    from lesionlens.bulk.storage import Place
    from lesionlens.classifier import Classifier

__all__ = ["EXIT_INTERRUPTED", "Where", "run_in_parts", "run_in_stream"]

EXIT_INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which machines compute.

    Attributes:
        cluster: Whether a Ray cluster does, rather than this process.
        address: The cluster's; None for RAY_ADDRESS, and without it a cluster on this machine.
        workers: How many; 0 for as many as there is room for.
        threads: CPUs of each.
    """

    cluster: bool
    address: str | None
    workers: int
    threads: int

    @contextmanager
    def runner(self, classifier: Classifier, options: Options, seen: Callable[[Result], object]) -> Iterator[Runner]:
        """Give what classifies parts, within a `with` block.

        Raises:
            BulkError: Ray is not installed, or no cluster answers.
        """
        from lesionlens.bulk import run_here

        if not self.cluster:
            yield run_here(classifier, options, seen)
            return
        from lesionlens.scale.bulk import run_on_ray
        from lesionlens.scale.cluster import connected

        with connected(self.address) as ray:
            yield run_on_ray(ray, classifier, options, seen, threads=self.threads, workers=self.workers)


def run_in_stream(
    where: Where,
    classifier: Classifier,
    entries: Sequence[Entry],
    options: Options,
    target: Place | None,
    format_: Format | None,
) -> tuple[Count, Table | None]:
    """Classify for a table, standard output, a pipe or a device: nothing is kept.

    Args:
        where: Which machines compute.
        classifier: The model.
        entries: The pictures.
        options: How.
        target: Where results go; None for standard output.
        format_: Of the results; None for a table.

    Returns:
        The counts, and the table if one was asked for.
    """
    from lesionlens.bulk import Count, classify_entries, in_order, open_writer, part_size

    rule = classifier.manifest.prediction_set
    table = new_table(None if rule is None else rule.coverage) if format_ is None else None
    count = Count()
    with ExitStack() as stack:
        writer = None if format_ is None else stack.enter_context(open_writer(target, format_, classifier.description))
        seen = stack.enter_context(watched(len(entries)))

        def take(results: Iterator[Result], *, tell: bool) -> None:
            for result in results:
                if tell:
                    seen(result)
                count.add(result)
                if writer is not None:
                    writer.write(result)
                elif table is not None:
                    add_row(table, result)

        if where.cluster:
            size = part_size(len(entries), options.batch_size)
            starts = range(0, len(entries), size)
            parts = [(index, entries[start : start + size]) for index, start in enumerate(starts)]
            run = stack.enter_context(where.runner(classifier, options, seen))
            take(in_order(run(parts)), tell=False)
        else:
            take(classify_entries(classifier, entries, options), tell=True)
    return count, table


def run_in_parts(job: Job, where: Where, classifier: Classifier, entries: Sequence[Entry], options: Options) -> Count:
    """Classify into a file or a folder; what is done is kept whatever happens.

    Args:
        job: Where, begun.
        where: Which machines compute.
        classifier: The model.
        entries: The pictures.
        options: How.

    Returns:
        The counts of the whole run.
    """
    from lesionlens.bulk import Count

    count = Count()
    count.include(job.earlier_count)
    screen = standard_error()
    if count.files:
        screen.print(f"Going on: {count.files} of {len(entries)} pictures are done.")
    try:
        with watched(len(entries), count.files) as seen:

            def told(result: Result) -> None:
                count.add(result)
                seen(result)

            if count.files < len(entries):
                with where.runner(classifier, options, told) as runner:
                    job.run(runner)
        job.finish()
    except BaseException as error:
        _say_what_is_kept(job, len(entries))
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(EXIT_INTERRUPTED) from None
        raise
    return count


def _say_what_is_kept(job: Job, total: int) -> None:
    kept = job.close()
    text = f"Stopped. {kept} of {total} pictures are kept in {job.target.parts}; the same command goes on from there."
    standard_error().print(Text(text), soft_wrap=True)
