"""`lesionlens convert`: weights of others into a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from lesionlens.cli.app import app
from lesionlens.cli.console import errors_shown, standard_error, standard_output

__all__ = ["convert"]


@app.command()
def convert(
    weights: Annotated[Path, typer.Argument(help="PyTorch state_dict (.pth, .pt) or .safetensors.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the bundle; by default the file's name.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the model; by default the folder's.")] = None,
    fit: Annotated[
        Literal["squash", "center_crop"],
        typer.Option(help="How pictures become square: the whole one without its aspect, or the centred square."),
    ] = "squash",
    architecture: Annotated[
        str | None, typer.Option(help="timm name, such as efficientnet_b5; by default recognised by the tensors.")
    ] = None,
    input_size: Annotated[
        int | None, typer.Option(min=32, max=2048, help="Side of the input in pixels; by default the network's own.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is at the output.")] = False,
) -> None:
    """Turn PyTorch weights into a bundle that every command serves.

    Reads a state_dict of an EfficientNet with the eight ISIC 2019 classes. Nothing in the file is executed. B5 at 456
    pixels needs no PyTorch; other networks need the train extra.
    """
    from lesionlens.conversion import convert_weights

    folder = output or Path(weights.stem)
    with errors_shown(), standard_error().status("converting"):
        bundle = convert_weights(
            weights, folder, name=name, architecture=architecture, fit=fit, input_size=input_size, overwrite=force
        )
    spec = bundle.manifest.preprocessing
    screen = standard_output()
    screen.print(
        Text(
            f"{bundle.path}: {bundle.manifest.architecture}, {spec.size} × {spec.size} pixels, {spec.fit}."
            f"\nTry it: lesionlens classify --model {bundle.path} PICTURE"
        ),
        soft_wrap=True,
    )
    screen.print("Nothing was measured: see MODEL_CARD.md in the bundle, and run lesionlens evaluate.", soft_wrap=True)
