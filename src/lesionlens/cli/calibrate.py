"""`lesionlens calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import MofNCompleteColumn

from lesionlens.cli.app import app
from lesionlens.cli.console import errors_shown, progress_bar, standard_output

__all__ = ["calibrate"]


@app.command()
@errors_shown()
def calibrate(
    bundle: Annotated[str, typer.Argument(help="Folder of a bundle, or name of an embedded model; written to.")],
    data: Annotated[Path, typer.Option(help="Folder in the official ISIC 2019 layout that it was trained on.")],
    folds_file: Annotated[
        Path | None, typer.Option(help="CSV with image, label, group and fold. [default: isic2019_folds.csv in --data]")
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Fit on this fold, which was not trained on. [default: the pictures that training kept out]",
        ),
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, onnxruntime or openvino.")] = "auto",
) -> None:
    """Fit what makes a bundle's answers trustworthy, on pictures that it was not trained on.

    These are the probabilities, the prediction sets, the thresholds on the malignant probability, and the statistics
    that tell pictures which it should not judge. Running it again gives the same result. A research tool, not a medical
    device.
    """
    from lesionlens.calibration.fit import calibrate as fit_everything
    from lesionlens.calibration.fit import looks
    from lesionlens.calibration.pictures import pictures_of
    from lesionlens.calibration.terminal import show
    from lesionlens.classifier import Classifier
    from lesionlens.datasets import ImageSource
    from lesionlens.inference.embedded import find_bundle

    found = find_bundle(bundle)
    pictures = pictures_of(found.manifest, data, folds_file, fold)
    classifier = Classifier(found, engine=engine)
    with progress_bar(MofNCompleteColumn()) as bar:
        task = bar.add_task("Looking at pictures", total=looks(pictures))
        fitted = fit_everything(classifier, pictures, ImageSource(data), lambda n: bar.advance(task, n))
    found.with_manifest(fitted.apply(found.manifest), fitted.data)
    console = standard_output()
    show(fitted, found.manifest, console)
    console.print(f"\nWrote {escape(str(found.path))}", soft_wrap=True)
    console.print(
        f"Next: lesionlens evaluate --model {escape(bundle)} --data {escape(str(data))} --card", soft_wrap=True
    )
