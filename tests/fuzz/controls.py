"""Readers with a known fault: a campaign that does not find it is worth nothing."""

from __future__ import annotations

import ctypes
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fuzz.mutate import Case, make_case
from fuzz.targets import Target, read_picture
from lesionlens.errors import CorruptImageError

__all__ = ["FAULTS", "FAULTY", "control"]

FAULTY: Final = 7
"""The faults show at the input of this number and nowhere else."""


def _wrong_exception() -> None:
    raise KeyError("not an ImageError")


def _busy() -> None:
    while True:
        pass


def _stuck() -> None:
    time.sleep(3600)


def _memory() -> None:
    bytearray(b"\1") * 300_000_000  # all of it is written to, so that it counts


def _hidden_memory() -> None:
    try:
        bytearray(2**40)
    except MemoryError as error:
        raise CorruptImageError("the file is damaged") from error


def _segfault() -> None:
    ctypes.string_at(1)


def _silent_exit() -> None:
    os._exit(0)


def _warning() -> None:
    warnings.warn("of something that nobody asked for", RuntimeWarning, stacklevel=1)


def _file() -> None:
    (Path(tempfile.gettempdir()) / "left-behind").write_bytes(b"a photo")


FAULTS: Final[dict[str, tuple[Callable[[], None], str]]] = {
    "wrong-exception": (_wrong_exception, "exception"),
    "busy": (_busy, "hang"),
    "stuck": (_stuck, "hang"),
    "memory": (_memory, "memory"),
    "hidden-memory": (_hidden_memory, "exception"),
    "segfault": (_segfault, "crash"),
    "silent-exit": (_silent_exit, "crash"),
    "warning": (_warning, "warning"),
    "file": (_file, "file"),
}
"""Each fault, and as what a campaign has to report it."""


def control(name: str) -> Target:
    """Return a reader of pictures with a fault.

    Raises:
        KeyError: There is no such fault.
    """
    fault, _ = FAULTS[name]

    def read(case: Case) -> str:
        if case.number == FAULTY:
            if name == "hidden-memory":
                return _judged(fault)
            fault()
        return read_picture(case)

    return Target(make_case, read, lambda: None)


def _judged(fault: Callable[[], None]) -> str:
    from fuzz import targets

    try:
        fault()
    except CorruptImageError as error:
        targets._check_refusal(error)
    return "image"
