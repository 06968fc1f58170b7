"""Where files of results go: each appears when it is whole, or not at all."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from lesionlens.bulk.storage import Place, backend_errors, file_system, whole_file

__all__ = ["is_stream", "open_output"]


def is_stream(target: Place | None) -> bool:
    """Return whether what is written somewhere is gone at once: standard output, a pipe or a device."""
    if target is None:
        return True
    return isinstance(target, Path) and target.exists() and not target.is_file() and not target.is_dir()


@contextmanager
def open_output(target: Place | None) -> Iterator[BinaryIO]:
    """Open a file for results; an error inside the `with` block leaves what was there before.

    Args:
        target: The file, written under another name until the end; a link stays, the file that it leads to is replaced.
            A pipe or a device is written to directly, a URL gets the whole file at the end; None is standard output.

    Raises:
        OSError: The file cannot be written.
        BulkError: What a URL needs is not installed.
    """
    if target is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif isinstance(target, str):
        with _uploaded(target) as stream:
            yield stream
    elif is_stream(target):  # a pipe or a device
        with target.open("wb") as stream:
            yield stream
    else:
        with whole_file(target.resolve()) as stream:
            yield stream


@contextmanager
def _uploaded(url: str) -> Iterator[BinaryIO]:
    system, path = file_system(url)  # before anything is computed for it
    with tempfile.NamedTemporaryFile() as stream:
        yield cast("BinaryIO", stream)
        stream.flush()
        with backend_errors():
            system.put_file(stream.name, path)
