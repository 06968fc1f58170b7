"""A worker as its supervisor sees it: a process that says once a second how it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from lesionlens.api.workers.heart import READY, STUCK
from lesionlens.api.workers.main import Orders

__all__ = ["WorkerProcess", "describe_end"]


class WorkerProcess:
    """A process that has been started.

    Args:
        number: Which of the workers it is, from 1.
        listener: File descriptor of the listening socket.
        settings: Settings by field name that take precedence over the environment.
        environment: Variables that it has on top of this process'.

    Attributes:
        number: The same.
        started: When it was started, in seconds of `time.monotonic`, as all times here.
        heard: When it last said something; when it was started, before that.
        ready_since: Since when it has been ready; None if it has never been.
        stuck: Whether it said that it computes no more.
        kill_at: When it has had its time to end; None if it was not told to.
    """

    def __init__(
        self, number: int, listener: int, settings: Mapping[str, Any], environment: Mapping[str, str] | None = None
    ) -> None:
        self.number = number
        self.started = self.heard = time.monotonic()
        self.ready_since: float | None = None
        self.stuck = False
        self.kill_at: float | None = None
        self._pipe, told = os.pipe()
        os.set_blocking(self._pipe, False)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lesionlens.api.workers.main"],
                stdin=subprocess.PIPE,
                pass_fds=(listener, told),
                env={**os.environ, **(environment or {})},
                process_group=0,  # Ctrl-C in a terminal reaches the supervisor alone, which ends them in good order
            )
        finally:
            os.close(told)  # the worker has its own; so its end is seen here
        assert self._process.stdin is not None  # noqa: S101 – says so to mypy
        try:
            self._process.stdin.write(Orders(number, listener, told, dict(settings)).to_json())
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already, and its exit status tells why

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def listen(self) -> bool:
        """Take in what it has said since; returns whether it has become ready by that."""
        try:
            said = os.read(self._pipe, 4096) if self._pipe != -1 else b""
        except BlockingIOError:
            return False
        if not said:
            return False
        self.heard = time.monotonic()
        self.stuck = said.endswith(STUCK)
        if self.ready_since is not None or READY not in said:
            return False
        self.ready_since = self.heard
        return True

    def ended(self) -> int | None:
        """Return its exit status (minus the signal's number if one killed it); None while it runs."""
        status = self._process.poll()
        if status is not None and self._pipe != -1:
            os.close(self._pipe)
            self._pipe = -1
        return status

    def end(self, seconds: float) -> None:
        """Tell it to end in an orderly way.

        Args:
            seconds: After which it will have had its time.
        """
        self._process.send_signal(signal.SIGTERM)
        if self.kill_at is None:
            self.kill_at = time.monotonic() + seconds

    def interrupt(self) -> None:
        """Tell one that is ending not to wait for what it has accepted."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def describe_end(status: int) -> str:
    """Say in words how a process ended.

    Args:
        status: As `WorkerProcess.ended` gives it.
    """
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{name}, as when memory has run out" if name == "SIGKILL" else name
