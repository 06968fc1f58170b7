"""What the commands share: where they print, how they show errors and progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lesionlens.errors import LesionLensError

__all__ = ["EXIT_FAILED", "EXIT_USAGE", "errors_shown", "fail", "progress_bar", "standard_error", "standard_output"]

# Which extra brings a package that the serving install does not have.
_EXTRAS: Final = {
    "httpx": "data",
    "markupsafe": "evaluate",
    "psycopg": "postgres",
    **dict.fromkeys(("onnx", "onnxscript", "safetensors", "timm", "torch", "torchvision"), "train"),
    **dict.fromkeys(("isic_challenge_scoring", "jinja2", "matplotlib", "pandas", "scipy", "sklearn"), "evaluate"),
}

EXIT_FAILED = 1
"""The command ran, and part or all of its work failed."""
EXIT_USAGE = 2
"""The command could not start with what it was given."""


def standard_output() -> Console:
    """Return a console for results."""
    return Console(highlight=False, soft_wrap=False)


def standard_error() -> Console:
    """Return a console for everything that is not a result."""
    return Console(stderr=True, highlight=False)


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Print an error and end the command.

    Args:
        message: What is wrong, in words.
        code: Exit code.
    """
    standard_error().print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def errors_shown(code: int = EXIT_FAILED, extra: str | None = None) -> Iterator[None]:
    """Show errors that a user can mend as one line instead of a traceback; also a decorator of whole commands.

    These are the errors raised on purpose, those of the file system, and a package that an extra would install.

    Args:
        code: Exit code after an error.
        extra: The extra that has all that the command needs; by default the one that has the package.
    """
    try:
        yield
    except LesionLensError as error:
        fail(str(error), code)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _EXTRAS:
            raise
        name = extra or _EXTRAS[package]
        fail(f"this command needs {package}; install it with: pip install 'lesionlens[{name}]'", EXIT_USAGE)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fail(f"{where}{error.strerror or error}", code)


def progress_bar(*columns: ProgressColumn) -> Progress:
    """Return a progress bar on standard error that shows only where a person watches.

    Args:
        columns: Columns between the bar and the times, such as a count or a rate.
    """
    console = standard_error()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
