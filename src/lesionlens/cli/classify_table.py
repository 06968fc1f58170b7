"""What `lesionlens classify` shows in a terminal: a table of results, and a bar while it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import MofNCompleteColumn, ProgressColumn, Task
from rich.table import Table
from rich.text import Text

from lesionlens.cli.console import progress_bar

if TYPE_CHECKING:
    from lesionlens.bulk import Result

__all__ = ["add_row", "new_table", "watched"]


def new_table(coverage: float | None) -> Table:
    """Return a table without rows.

    Args:
        coverage: What the bundle's prediction sets cover, 0–1; None for a bundle without a rule for them.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("File", overflow="fold")
    table.add_column("Answer", overflow="fold")
    table.add_column("Confidence", justify="right", no_wrap=True)
    table.add_column("Malignant", justify="right", no_wrap=True)
    if coverage is not None:
        table.add_column(f"{coverage:.0%} set", overflow="fold")
    return table


def add_row(table: Table, result: Result) -> None:
    """Add a result to a table."""
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


@contextmanager
def watched(total: int, done: int = 0) -> Iterator[Callable[[Result], None]]:
    """Show how far the work is, within a `with` block that gives a function to be told of each result.

    Args:
        total: How many pictures there are.
        done: How many of them an earlier run classified.
    """
    with progress_bar(MofNCompleteColumn(), _RateColumn()) as bar:
        task = bar.add_task("classifying", total=total, completed=done)

        def seen(result: Result) -> None:
            if result.error is not None:
                bar.console.print(Text(f"{result.file}: {result.error}", style="red"), soft_wrap=True)
            bar.advance(task)

        yield seen


class _RateColumn(ProgressColumn):
    """Pictures a second."""

    def render(self, task: Task) -> Text:
        """Show the rate."""
        return Text(f"{task.speed:.1f} pictures/s" if task.speed else "")
