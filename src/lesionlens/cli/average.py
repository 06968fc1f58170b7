"""`lesionlens average`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lesionlens.cli.app import app
from lesionlens.cli.console import errors_shown

__all__ = ["average"]


@app.command()
@errors_shown()
def average(
    output: Annotated[Path, typer.Argument(help="Folder of the new run.")],
    sources: Annotated[
        list[str],
        typer.Argument(help="Two or more run folders, bundles' folders or embedded models; a run among them."),
    ],
    share: Annotated[
        list[float] | None,
        typer.Option(help="Weight of each source, in their order, together 1; all alike if none is given."),
    ] = None,
    pictures: Annotated[int, typer.Option(help="Training pictures for the batch norms.", min=32)] = 1536,
) -> None:
    """Average the weights of trainings that began at common weights: often better than each, at the price of one."""
    from lesionlens.inference.embedded import locate
    from lesionlens.training.soup import average_runs

    console = Console(stderr=True)
    shares = share or [1.0 / len(sources)] * len(sources)
    with console.status("Averaging…"):
        record = average_runs(output, [locate(source) for source in sources], shares, pictures=pictures)
    for part in record.ingredients:
        console.print(f"{part.share:.2f} × {part.weights}")
    console.print(f"Next: lesionlens export {output} BUNDLE")
