"""`lesionlens models`, `lesionlens version` and `lesionlens --version`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from lesionlens.cli.app import app
from lesionlens.cli.console import EXIT_FAILED, standard_output

if TYPE_CHECKING:
    from pathlib import Path

    from lesionlens.inference.bundle import Manifest

__all__ = ["main", "models", "version"]


@app.command()
def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the models that are installed with LesionLens."""
    import json

    from lesionlens import DISCLAIMER
    from lesionlens.inference.embedded import embedded_models

    described = [_describe(name, path) for name, path in embedded_models().items()]
    if as_json:
        typer.echo(json.dumps(described, indent=2, ensure_ascii=False))
    else:
        screen = standard_output()
        if described:
            screen.print(_table(described))
        else:
            screen.print("No model is installed. Give commands a bundle's folder with --model.")
        screen.print(Text(DISCLAIMER, style="bold"))
    if any("error" in d for d in described):
        raise typer.Exit(EXIT_FAILED)


@app.command()
def version() -> None:
    """Print the version of LesionLens."""
    from lesionlens import __version__

    typer.echo(f"lesionlens {__version__}")


def _show_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version of LesionLens."),
    ] = False,
) -> None:
    """Classify photographs of skin lesions. A research tool, not a medical device."""


def _describe(name: str, path: Path) -> dict[str, Any]:
    from lesionlens.errors import BundleError
    from lesionlens.inference.bundle import Bundle
    from lesionlens.inference.embedded import ALIASES, DEFAULT_MODEL

    known_as = [alias for alias, model in ALIASES.items() if model == name]
    try:
        manifest = Bundle.load(path).manifest
    except BundleError as error:
        return {"name": name, "default": name == DEFAULT_MODEL, "aliases": known_as, "error": str(error)}
    return {
        "name": name,
        "default": name == DEFAULT_MODEL,
        "aliases": known_as,
        "version": manifest.version,
        "architecture": manifest.architecture,
        "input_size": manifest.preprocessing.size,
        "fit": manifest.preprocessing.fit,
        "bytes": sum(f.stat().st_size for f in path.iterdir() if f.is_file()),
        "sha256": manifest.graph_sha256,
        "licence": manifest.training.licence if manifest.training else None,
        "results": manifest.results,
        "headline": _headline(manifest),
    }


def _table(described: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Model", "Version", "Network", "Input", "Size", "Measured"):
        table.add_column(title, overflow="fold", justify="right" if title == "Size" else "left")
    for d in described:
        roles = ", ".join([*(["default"] if d["default"] else []), *d["aliases"]])
        name = Text(f"{d['name']} ({roles})" if roles else d["name"])
        if "error" in d:
            table.add_row(name, "", Text(f"damaged: {d['error']}", style="red"), "", "", "")
            continue
        side = d["input_size"]
        table.add_row(
            name,
            Text(d["version"]),
            Text(d["architecture"]),
            f"{side} × {side} {d['fit'].replace('_', ' ')}",
            f"{d['bytes'] / 1e6:.1f} MB",
            Text(d["headline"]),
        )
    return table


def _headline(manifest: Manifest) -> str:
    """Return the figures that come first, in words; `results` is what `lesionlens evaluate` wrote."""
    results = manifest.results
    everything = results.get("slices", {}).get("all", {})
    figures = [
        f"{title} {value:{style}}{spread}"
        for key, title, style in (
            ("balanced_accuracy", "balanced accuracy", ".1%"),
            ("malignant_auc", "malignant AUC", ".3f"),
        )
        for value, spread in _estimate(everything.get(key), style)
    ]
    if not figures:
        return "nothing"
    where = f" on {everything['n']:,} pictures" if "n" in everything else ""
    # A model that is shipped may be trained on all data; its figures are then those of the same recipe without a part.
    other = results.get("measured_sha256") not in (None, manifest.graph_sha256)
    return f"{', '.join(figures)}{where}{'; another run of the same recipe' if other else ''}"


def _estimate(estimate: object, style: str) -> list[tuple[float, str]]:
    if not isinstance(estimate, list) or not estimate or estimate[0] is None:
        return []
    value, low, high = [*estimate, None, None][:3]
    return [(value, "" if low is None or high is None else f" ({low:{style}}–{high:{style}})")]
