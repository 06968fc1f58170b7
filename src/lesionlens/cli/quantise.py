"""`lesionlens quantise`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn
from rich.table import Table

from lesionlens.cli.app import app
from lesionlens.cli.console import EXIT_FAILED, errors_shown, fail, progress_bar, standard_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from lesionlens.quantise import Comparison, Quantised

__all__ = ["quantise"]


@app.command()
@errors_shown(extra="quantise")
def quantise(
    bundle: Annotated[str, typer.Argument(help="Name of an embedded model, folder of a bundle, or file of weights.")],
    output: Annotated[Path, typer.Argument(help="Folder to write the int8 bundle to.")],
    data: Annotated[Path, typer.Option(help="Folder in the official ISIC 2019 layout, with folds.")],
    folds_file: Annotated[
        Path | None, typer.Option(help="CSV with image, label, group and fold. [default: isic2019_folds.csv in --data]")
    ] = None,
    fold: Annotated[int, typer.Option(min=0, help="Compare on this fold, which was not trained on.")] = 0,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Compare on this many of its pictures. [default: all]")
    ] = None,
    pictures: Annotated[int, typer.Option(min=1, help="Pictures of the other folds to quantise with.")] = 256,
    engine: Annotated[
        Literal["onnxruntime", "openvino"],
        typer.Option(help="The engine that it is for; openvino for networks with SiLU, such as EfficientNet-B5."),
    ] = "onnxruntime",
    name: Annotated[str | None, typer.Option(help="Name of the new bundle; default: the output folder's.")] = None,
    threads: Annotated[int, typer.Option(min=0, help="Compute threads; 0 for one per CPU.")] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Write it also if its answers moved too far; replace what is there.")
    ] = False,
) -> None:
    """Make an int8 bundle, which computes about twice as fast, and see whether its answers hold.

    It is written only if balanced accuracy falls by at most 0.5 points, 98 % of the answers agree, and the heatmaps
    correlate by 0.95. A research tool, not a medical device.
    """
    from lesionlens.conversion.writing import require_room
    from lesionlens.datasets import ImageSource, read_samples
    from lesionlens.inference.bundle import slug
    from lesionlens.inference.find_model import find_model
    from lesionlens.quantise import quantise as make
    from lesionlens.quantise.pictures import draw

    found = find_model(bundle)
    require_room(output, force)
    drawn = draw(read_samples(data, folds_file), found.manifest, fold=fold, calibration=pictures, limit=limit)
    with progress_bar(MofNCompleteColumn()) as bar:

        def watch(title: str, total: int) -> Callable[[int], object]:
            task = bar.add_task(title, total=total)
            return lambda count: bar.advance(task, count)

        result = make(
            found,
            output,
            drawn,
            ImageSource(data),
            name=name or slug(output),
            layout=engine,
            threads=threads,
            force=force,
            watch=watch,
        )
    console = standard_output()
    _show(result, console)
    if result.bundle is None:
        fail(
            f"nothing was written: {'; '.join(result.comparison.failures)}; --force writes it all the same", EXIT_FAILED
        )
    if result.comparison.failures:
        console.print(f"[bold yellow]Not good enough:[/] {'; '.join(result.comparison.failures)}", soft_wrap=True)
    size, before = (b.graph_path.stat().st_size / 1e6 for b in (result.bundle, found))
    console.print(f"Wrote {escape(str(output))} ({size:.1f} MB, before {before:.1f} MB).", soft_wrap=True)
    console.print(f"Next: lesionlens calibrate {escape(str(output))} --data {escape(str(data))}", soft_wrap=True)


def _show(result: Quantised, console: Console) -> None:
    comparison: Comparison = result.comparison
    console.print(f"In floating point: {', '.join(result.record.float_parts)}", soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (f"On {result.record.measured_on}", "int8", "asked for"):
        table.add_column(title)
    table.add_row("Same most probable diagnosis", f"{comparison.agreement:.2%}", "≥ 98 %")
    table.add_row("Same answer, “not confident” included", f"{comparison.same_answer:.2%}", "")
    table.add_row("Correlation of the heatmaps, mean", f"{comparison.map_correlation:.4f}", "≥ 0.95")
    table.add_row(
        "Balanced accuracy",
        f"{comparison.balanced_accuracy:.4f} (before {comparison.balanced_accuracy_before:.4f})",
        "at most 0.005 lower",
    )
    table.add_row("Largest move of a probability, mean", f"{comparison.probability_change:.4f}", "")
    table.add_row("Largest move of a probability", f"{comparison.largest_change:.4f}", "")
    console.print(table)
