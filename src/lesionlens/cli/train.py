"""`lesionlens train`."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lesionlens.cli.app import app
from lesionlens.cli.console import errors_shown
from lesionlens.errors import SettingsError

if TYPE_CHECKING:
    from lesionlens.training.config import TrainConfig

__all__ = ["train"]


@app.command()
@errors_shown()
def train(
    run: Annotated[Path, typer.Argument(help="Folder of the run: checkpoints, metrics, curves.")],
    config: Annotated[
        Path | None, typer.Option(help="Settings as JSON (a TrainConfig); see docs/training.md.", exists=True)
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A single setting, as name=value with a JSON value; may be given several times."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Start from these weights: an embedded model's name, a bundle's folder, or a weights file."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoint in the run's folder.")] = False,
    max_minutes: Annotated[float, typer.Option(help="Stop cleanly after this many minutes; resume later.")] = math.inf,
) -> None:
    """Train a network on a folder of ISIC pictures.

    Runs on several processes or GPUs under `torchrun -m lesionlens train …`.
    """
    from lesionlens.training.loop import Progress as RunProgress
    from lesionlens.training.loop import train as train_run
    from lesionlens.training.run_folder import RunFolder

    if resume and config is not None:
        raise SettingsError("--resume takes the run's own settings; change where its files are with --set")
    kept = json.loads(RunFolder(run).read_config().model_dump_json()) if resume else _read(config)
    if start is not None:
        if resume:
            raise SettingsError("--resume goes on from the run's own checkpoint; --start begins a new run")
        kept |= _start(start, kept)
    settings = _settings(kept, set_ or [])
    leads = os.environ.get("RANK", "0") == "0"  # under torchrun, one process speaks for all
    console = Console(stderr=True, quiet=not leads)
    with Progress(
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}  {task.fields[rate]:.1f} images/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
    ) as bar:
        task = bar.add_task("train", epoch=1, loss=math.nan, rate=0.0, total=None)

        def show(progress: RunProgress) -> None:
            if bar.tasks[0].total is None:
                bar.reset(task, total=progress.steps, completed=progress.step - 1)
            speed = (bar.tasks[0].speed or 0.0) * progress.images
            bar.update(task, completed=progress.step, epoch=progress.epoch + 1, loss=progress.loss, rate=speed)
            if progress.message:
                console.print(progress.message)

        result = train_run(settings, run, resume=resume, max_minutes=max_minutes, report=show)
    if result.finished:
        console.print(f"Finished. Weights: {result.weights}\nNext: lesionlens export {run} BUNDLE")
    else:
        console.print(f"Stopped at its time limit. Go on with: lesionlens train {run} --resume")


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingsError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path} holds no JSON object of settings")
    return values


def _start(start: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that a start brings: where it is and, for a bundle, what must be as it was there."""
    from lesionlens.inference.embedded import find_bundle, locate
    from lesionlens.training.provenance import HELD_OUT

    path = locate(start)
    if not path.is_dir():
        return {"start": str(path)}
    manifest = find_bundle(path).manifest
    recipe = manifest.training.recipe if manifest.training else {}
    kept = {name: recipe[name] for name in HELD_OUT if name in recipe}
    own = {"architecture": manifest.architecture, "preprocessing": manifest.preprocessing.model_dump(mode="json")}
    return {name: value for name, value in (own | kept).items() if name not in given} | {"start": str(path)}


def _settings(values: dict[str, Any], assignments: list[str]) -> TrainConfig:
    from pydantic import ValidationError

    from lesionlens.training.config import TrainConfig

    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SettingsError(f"--set takes name=value, not {assignment!r}")
        try:
            values[name] = json.loads(value)
        except json.JSONDecodeError:
            values[name] = value  # a bare word is a string
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"training settings: {problems}") from error
