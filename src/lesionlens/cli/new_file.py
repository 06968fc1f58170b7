"""Writing a file that holds health data: for its owner alone, and whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lesionlens.cli.console import EXIT_USAGE, fail

__all__ = ["new_file"]


@contextmanager
def new_file(target: Path) -> Iterator[IO[bytes]]:
    """Open a file that nobody else can read, and that gets its name when the block ends without an error.

    Args:
        target: Where; a file that is there is replaced then, and folders that are missing are made.

    Raises:
        typer.Exit: It is a folder; the reason was printed.
        OSError: It cannot be written.
    """
    if target.is_dir():
        fail(f"{str(target)!r} is a folder; name a file", EXIT_USAGE)
    target = target.resolve()  # a link stays, the file that it leads to is replaced
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
