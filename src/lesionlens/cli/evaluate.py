"""`lesionlens evaluate`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import MofNCompleteColumn

from lesionlens.cli.app import app
from lesionlens.cli.console import errors_shown, progress_bar, standard_output
from lesionlens.errors import DataError
from lesionlens.inference.embedded import DEFAULT_MODEL
from lesionlens.inference.views import ViewCount

if TYPE_CHECKING:
    from lesionlens.evaluation import Metrics, Predictions
    from lesionlens.evaluation.attention.sheet import Tile
    from lesionlens.evaluation.mistakes import Mistake
    from lesionlens.evaluation.suitability.records import SuitabilityReport

    Shown = tuple[list[Mistake], list[Mistake], list[Tile]]

__all__ = ["evaluate"]

_METRICS, _PREDICTIONS, _REPORT = "metrics.json", "predictions.csv", "report.html"


@app.command()
@errors_shown()
def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="Folder in the official ISIC 2019 layout: pictures or tars, and the CSV files.")
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Score this predictions.csv of an earlier run again; runs no model.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Name of an embedded model, folder of a bundle, or file of weights.")
    ] = DEFAULT_MODEL,
    folds_file: Annotated[
        Path | None, typer.Option(help="CSV with image, label, group and fold. [default: isic2019_folds.csv in --data]")
    ] = None,
    fold: Annotated[str, typer.Option(help="Number of the fold to measure on, or `all`.")] = "0",
    limit: Annotated[int | None, typer.Option(min=1, help="Measure on this many pictures, drawn at random.")] = None,
    output: Annotated[
        Path | None, typer.Option(help=f"Folder for {_METRICS}, {_PREDICTIONS} and {_REPORT}; made if missing.")
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, onnxruntime or openvino.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16; auto is fp32.")] = "auto",
    tta: Annotated[ViewCount, typer.Option(help="Views of a picture whose answers are averaged.")] = 1,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures per forward pass.")] = 16,
    bootstrap: Annotated[
        int, typer.Option(min=0, max=100_000, help="Resamples behind the 95 % intervals; 0 for none.")
    ] = 1000,
    attention: Annotated[
        bool, typer.Option("--attention", help="Measure the heatmaps, too; needs lesion masks in --data.")
    ] = False,
    attention_limit: Annotated[
        int, typer.Option(min=0, help="Pictures for the insertion and deletion of --attention; 0 leaves these out.")
    ] = 120,
    suitability: Annotated[
        bool, typer.Option("--suitability", help="Show it pictures that it should not judge, too.")
    ] = False,
    suitability_limit: Annotated[
        int, typer.Option(min=1, help="Pictures to spoil in each way for --suitability.")
    ] = 500,
    card: Annotated[
        bool, typer.Option("--card", help="Write the figures into the bundle: its manifest and MODEL_CARD.md.")
    ] = False,
) -> None:
    """Measure a model on labelled pictures, with intervals, and write a report.

    A research tool, not a medical device.
    """
    if (data is None) == (predictions is None):
        raise DataError("give either --data DIR to run a model, or --predictions FILE to score its answers again")
    if card and data is None:
        raise DataError("--card needs --data DIR: only figures that were just measured go into a bundle")
    if card and tta != 1:
        raise DataError("--card needs --tta 1: the figures in a bundle are those of one pass")
    if attention and data is None:
        raise DataError("--attention needs --data DIR: it looks at the pictures again")
    if suitability and data is None:
        raise DataError("--suitability needs --data DIR: it looks at the pictures again")
    if output is not None:
        _make(output)  # before the long part: what cannot be written should be known at once
    console = standard_output()
    if data is not None:
        heatmaps = (attention_limit, bootstrap) if attention else None
        chosen = (data, folds_file, _fold(fold), limit, model, engine, precision, tta, batch_size)
        judged = _suitability(*chosen, bootstrap, suitability_limit) if suitability else None
        results, context, shown = _run(*chosen, heatmaps)
        context["suitability"] = judged
    else:
        assert predictions is not None  # noqa: S101 - told apart above
        results, context, shown = *_read(predictions), ([], [], [])

    from lesionlens.evaluation import evaluate as compute
    from lesionlens.evaluation.terminal import show

    with console.status("Computing the figures and their intervals"):
        metrics = compute(results, resamples=bootstrap, **context)
    if output is not None:
        _write(output, metrics, results, shown)
    if card:
        _write_card(model, metrics)
    show(metrics, console)
    if output is not None:
        console.print(f"\nReport: {escape(str(output / _REPORT))}", soft_wrap=True)


def _fold(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise DataError(f"--fold takes a number or `all`, not {text!r}")
    return int(text)


def _run(
    data: Path,
    folds_file: Path | None,
    fold: int | None,
    limit: int | None,
    model: str,
    engine: str,
    precision: str,
    tta: ViewCount,
    batch_size: int,
    heatmaps: tuple[int, int] | None,
) -> tuple[Predictions, dict[str, Any], Shown]:
    from lesionlens.classifier import Classifier
    from lesionlens.datasets import ImageSource, read_samples
    from lesionlens.datasets.masks import MaskSource
    from lesionlens.evaluation.attention.run import examine
    from lesionlens.evaluation.groups.metadata import read_people
    from lesionlens.evaluation.measure import SEED
    from lesionlens.evaluation.mistakes import mistake, worst
    from lesionlens.evaluation.run import choose, find, model_info, predict
    from lesionlens.inference.find_model import find_model

    candidates = choose(read_samples(data, folds_file), fold)
    samples = choose(candidates, fold, limit, SEED)
    source, people = ImageSource(data), read_people(data)
    masks = MaskSource(data) if heatmaps else None
    classifier = Classifier(find_model(model), engine=engine, precision=precision, tta=tta)
    with progress_bar(MofNCompleteColumn()) as bar:
        task = bar.add_task("Looking at pictures", total=len(samples))
        results = predict(
            classifier,
            samples,
            source,
            batch_size=batch_size,
            people=people,
            progress=lambda n: bar.advance(task, n),
        )
        missed, other = (
            [mistake(f) for f in find(classifier, [samples[row] for row in rows], source)] for rows in worst(results)
        )
        looked = None
        if masks and heatmaps:

            def watch(title: str, total: int) -> Callable[[int], object]:
                stage = bar.add_task(title, total=total)
                return lambda n: bar.advance(stage, n)

            pictures, resamples = heatmaps
            looked = examine(
                classifier,
                samples,
                source,
                masks,
                limit=pictures,
                batch_size=batch_size,
                resamples=resamples,
                seed=SEED,
                watch=watch,
            )
    limited = len(candidates) if len(samples) < len(candidates) else None
    part = "All pictures" if fold is None else f"Fold {fold}"
    drawn = f", {len(samples):,} of {limited:,} pictures drawn at random" if limited else ""
    context = {
        "model": model_info(classifier),
        "description": f"{part} of the labelled pictures in “{data.resolve().name}”{drawn}.",
        "fold": fold,
        "limited_from": limited,
        "seed": SEED,
        "attention": looked.attention if looked else None,
    }
    return results, context, (missed, other, looked.sheet if looked else [])


def _suitability(
    data: Path,
    folds_file: Path | None,
    fold: int | None,
    limit: int | None,
    model: str,
    engine: str,
    precision: str,
    tta: ViewCount,
    batch_size: int,
    resamples: int,
    pictures: int,
) -> SuitabilityReport:
    from lesionlens.classifier import Classifier
    from lesionlens.datasets import ImageSource, read_samples
    from lesionlens.datasets.masks import MaskSource
    from lesionlens.evaluation.measure import SEED
    from lesionlens.evaluation.run import choose
    from lesionlens.evaluation.suitability.measure import examine
    from lesionlens.inference.find_model import find_model

    samples = choose(read_samples(data, folds_file), fold, limit, SEED)
    masks: MaskSource | None = None
    with contextlib.suppress(DataError):  # without masks no lesion can be taken out; the rest needs none
        masks = MaskSource(data)
    with progress_bar(MofNCompleteColumn()) as bar:

        def watch(title: str, total: int) -> Callable[[int], object]:
            stage = bar.add_task(title, total=total)
            return lambda n: bar.advance(stage, n)

        return examine(
            Classifier(find_model(model), engine=engine, precision=precision, tta=tta),
            samples,
            ImageSource(data),
            masks,
            pictures=pictures,
            batch_size=batch_size,
            resamples=resamples,
            seed=SEED,
            watch=watch,
        )


def _read(path: Path) -> tuple[Predictions, dict[str, Any]]:
    import hashlib

    from lesionlens.evaluation import Metrics, Predictions

    results = Predictions.read_csv(path)
    beside = path.with_name(_METRICS)
    if beside.is_file():
        earlier = Metrics.load(beside)
        # A metrics file of other predictions must not lend them its model's name.
        if earlier.data.predictions_sha256 == hashlib.sha256(path.read_bytes()).hexdigest():
            known = earlier.data.model_dump(include={"description", "fold", "limited_from"})
            kept = {
                "model": earlier.model,
                "seed": earlier.seed,
                "attention": earlier.attention,
                "suitability": earlier.suitability,
            }
            return results, {**kept, **known}
    return results, {"description": f"Predictions of “{path.name}”, from an unnamed model."}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the output folder {folder}: {error.strerror}") from error


def _write_card(model: str, metrics: Metrics) -> None:
    from lesionlens.evaluation import render_model_card, results_for_manifest
    from lesionlens.inference.bundle import Bundle
    from lesionlens.inference.find_model import find_model

    bundle = find_model(model)
    manifest = bundle.manifest.model_copy(update={"results": results_for_manifest(metrics)})
    Bundle.write(bundle.path, bundle.graph_path.read_bytes(), manifest, render_model_card(manifest, metrics))


def _write(output: Path, metrics: Metrics, results: Predictions, shown: Shown) -> None:
    from lesionlens.evaluation.report import render_report

    (output / _PREDICTIONS).write_bytes(results.to_csv())
    (output / _METRICS).write_text(metrics.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (output / _REPORT).write_text(render_report(metrics, results, *shown), encoding="utf-8")
