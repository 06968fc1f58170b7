"""The processes that are measured: started, asked how much memory they hold, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psutil
from client import Connection, MeasuringError, form

__all__ = ["BareNetwork", "Memory", "Service", "naive_command", "our_command", "running"]

HERE: Final = Path(__file__).resolve().parent
_START_TIMEOUT: Final = 180.0
_END_TIMEOUT: Final = 30.0
_POLL: Final = 0.005  # seconds; how finely a cold start is seen
_MIB: Final = 1024 * 1024


class Memory(NamedTuple):
    """What a process and its children hold, in MiB.

    Attributes:
        rss: Resident set: all pages in memory, those that are shared with others included.
        pss: Proportional set: shared pages divided among those who share them; the fairer figure for several workers.
    """

    rss: float
    pss: float


class Service:
    """A service that answers `/predict`.

    Args:
        command: How it is started; it is told its port by `--port`.
        environment: Variables on top of this process's own.
        log: Where its output goes.
    """

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        with log.open("wb") as output:
            self.begun = time.perf_counter()
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
            )

    def first_answer(self, photo: bytes) -> float:
        """Send a photo until it is answered; return the seconds since the process was started.

        Raises:
            MeasuringError: The process ended, or three minutes have passed.
        """
        body = form(photo)
        while time.perf_counter() - self.begun < _START_TIMEOUT:
            if self._process.poll() is not None:
                break
            # A connection that is taken before the service is ready waits for its answer; one that is refused is tried
            # again at once.
            with contextlib.closing(Connection(self.url)) as connection, contextlib.suppress(MeasuringError):
                connection.predict(body)
                return time.perf_counter() - self.begun
            time.sleep(_POLL)
        raise MeasuringError(f"{' '.join(self._process.args)} did not start; it said: {self._tail()}")  # type: ignore[arg-type]

    def memory(self) -> Memory:
        """Return what the process and its children hold now."""
        whole = psutil.Process(self._process.pid)
        sets = [process.memory_full_info() for process in (whole, *whole.children(recursive=True))]
        return Memory(sum(s.rss for s in sets) / _MIB, sum(s.pss for s in sets) / _MIB)

    def processor_seconds(self) -> float:
        """Return the processor time that the process and its children have used so far."""
        return _processor_seconds(self._process.pid)

    def end(self) -> None:
        """End it in an orderly way, or by force if it does not."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]


class BareNetwork:
    """`bare_network.py`, waiting for numbers.

    Args:
        bundle: Folder of the bundle.
        photo: A photo file.
        engine: Name of the engine.
        precision: Its arithmetic.
    """

    def __init__(self, bundle: Path, photo: Path, engine: str, precision: str) -> None:
        command = [sys.executable, str(HERE / "bare_network.py"), str(bundle), str(photo)]
        self._process = subprocess.Popen(
            [*command, "--engine", engine, "--precision", precision],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()  # it is ready when it has said which engine it is

    def run(self, count: int) -> list[float]:
        """Run forward passes of one photo; return the seconds of each."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        return [float(seconds) for seconds in json.loads(self._read())]

    def processor_seconds(self) -> float:
        """Return the processor time that the process has used so far."""
        return _processor_seconds(self._process.pid)

    def end(self) -> None:
        """End the process."""
        self._process.communicate(timeout=_END_TIMEOUT)

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise MeasuringError("the process with the bare network ended; what it wrote stands above")
        return line


def naive_command(weights: Path) -> list[str]:
    """Return the command that starts the baseline."""
    return [sys.executable, str(HERE / "naive_server.py"), str(weights)]


def our_command(model: str, engine: str) -> list[str]:
    """Return the command that starts the service, as an administrator would start it."""
    return [sys.executable, "-m", "lesionlens", "serve", "--model", model, "--engine", engine]


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path, name: str, **environment: str) -> Iterator[Service]:
    """Start a service, and end it whatever happens.

    Args:
        command: How it is started.
        folder: Where its log and its records go.
        name: What the log is called.
        **environment: Further variables.
    """
    settings = {"LESIONLENS_DATA_DIR": str(folder / f"records-{name}"), "PYTHONUNBUFFERED": "1", **environment}
    service = Service(command, settings, folder / f"{name}.log")
    try:
        yield service
    finally:
        service.end()


def _processor_seconds(pid: int) -> float:
    whole = psutil.Process(pid)
    return float(sum(sum(process.cpu_times()[:2]) for process in (whole, *whole.children(recursive=True))))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
