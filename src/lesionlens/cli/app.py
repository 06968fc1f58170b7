"""The command line's root: which commands there are."""

from __future__ import annotations

import typer

__all__ = ["app"]

app = typer.Typer(
    name="lesionlens",
    help="Classify photographs of skin lesions. A research tool, not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
