"""`lesionlens export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lesionlens.cli.app import app
from lesionlens.cli.console import errors_shown

__all__ = ["export"]


@app.command()
@errors_shown()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    output: Annotated[Path, typer.Argument(help="Folder to write the bundle to.")],
    name: Annotated[str | None, typer.Option(help="The bundle's name; default: the output folder's.")] = None,
    version: Annotated[str, typer.Option(help="Version of the weights.")] = "1.0.0",
    size: Annotated[int | None, typer.Option(help="Input size in pixels; default: the run's own.", min=32)] = None,
    balance: Annotated[
        float, typer.Option(help="Share of the preference for common classes to take off.", min=0.0, max=1.0)
    ] = 0.0,
    full_precision: Annotated[bool, typer.Option(help="Store weights in single precision.")] = False,
) -> None:
    """Turn a training run into a bundle that can be served."""
    from lesionlens.training.package import package_run

    console = Console(stderr=True)
    with console.status("Exporting…"):
        bundle = package_run(
            run,
            output,
            name=name,
            version=version,
            size=size,
            balance=balance,
            half=not full_precision,
        )
    megabytes = bundle.graph_path.stat().st_size / 1e6
    console.print(f"Wrote {bundle.path} ({megabytes:.1f} MB, temperature {bundle.manifest.temperature:.2f}).")
    for point in bundle.manifest.operating_points:
        console.print(
            f"Malignant probability ≥ {point.threshold:.3f}: sensitivity {point.sensitivity:.3f}, "
            f"specificity {point.specificity:.3f} ({point.measured_on})"
        )
    console.print(f"Next: lesionlens evaluate --model {bundle.path} --data DATA")
