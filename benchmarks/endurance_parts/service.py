"""A real service in a process of its own, and how much memory it takes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import httpx

__all__ = ["LEAKING", "SOUND", "Memory", "Service", "serve"]

SOUND: Final = ("-c", "from lesionlens.cli import app; app()", "serve")
"""Arguments of Python that serve."""
LEAKING: Final = ("-m", "endurance_parts.leaking")
"""Arguments of Python that serve and keep every upload."""

_PATIENCE: Final = 180.0
_FOLDER: Final = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class Memory:
    """The resident memory of a process over time.

    Attributes:
        answered: How many requests had been answered at each sample.
        bytes: Resident set size at each sample (`statm` of proc(5)).
    """

    answered: list[int] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Service:
    """A running service.

    Attributes:
        url: Where it is.
        pid: Its process.
    """

    url: str
    pid: int

    def resident_bytes(self) -> int:
        """Return how much memory it has now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @contextlib.contextmanager
    def sampled(self, answered: Sequence[object], every: float) -> Iterator[Memory]:
        """Sample its memory for the length of a `with` block.

        Args:
            answered: Grows by one with each request that has ended.
            every: Seconds between two samples.
        """
        memory, ended = Memory(), threading.Event()

        def sample() -> None:
            while True:
                memory.answered.append(len(answered))
                memory.bytes.append(self.resident_bytes())
                if ended.wait(every):
                    return

        thread = threading.Thread(target=sample)
        thread.start()
        try:
            yield memory
        finally:
            ended.set()
            thread.join()


@contextlib.contextmanager
def serve(arguments: Sequence[str], settings: Mapping[str, str]) -> Iterator[Service]:
    """Start a service on a free port, and end it.

    Args:
        arguments: `SOUND` or `LEAKING`.
        settings: Its settings, by variable.

    Raises:
        RuntimeError: It does not become ready; with what it printed.
    """
    with tempfile.TemporaryDirectory(prefix="lesionlens-endurance-") as folder, _log(Path(folder)) as log:
        environment = {
            **os.environ,
            "PORT": "0",
            "LESIONLENS_DATA_DIR": folder,
            "LESIONLENS_LOG_LEVEL": "warning",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": f"{_FOLDER}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            **settings,
        }
        process = subprocess.Popen([sys.executable, *arguments], stdout=log, stderr=log, env=environment)
        try:
            yield Service(_wait_until_ready(process, Path(log.name)), process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE)


def _log(folder: Path) -> IO[bytes]:
    return (folder / "log.txt").open("wb")


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        printed = log.read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"http://[\w.]+:\d+", printed):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{found[0]}/readyz", timeout=10, trust_env=False).status_code == 200:
                    return found[0]
        time.sleep(0.1)
    raise RuntimeError(f"the service did not become ready: {log.read_text(encoding='utf-8', errors='replace')}")
