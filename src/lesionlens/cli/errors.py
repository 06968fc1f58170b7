"""How commands end when something is wrong: one clear line, exit code 1, no traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from lesionlens.errors import LesionLensError

__all__ = ["told"]

# Which extra brings a package that the serving install does not have.
_EXTRAS: Final = {
    **dict.fromkeys(("cv2", "onnx", "safetensors", "timm", "torch", "torchvision"), "train"),
    **dict.fromkeys(("isic_challenge_scoring", "jinja2", "matplotlib", "pandas", "scipy", "sklearn"), "evaluate"),
}

P = ParamSpec("P")
R = TypeVar("R")


def told(command: Callable[P, R]) -> Callable[P, R]:
    """Print an error that was raised on purpose as one line on stderr and exit with code 1."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except LesionLensError as error:
            Console(stderr=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
            raise typer.Exit(1) from error
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get((error.name or "").split(".")[0])
            if extra is None:
                raise
            Console(stderr=True).print(
                f"[bold red]error:[/] this command needs {error.name}; install it with "
                f"pip install 'lesionlens\\[{extra}]'",
                highlight=False,
            )
            raise typer.Exit(1) from error

    return wrapper
