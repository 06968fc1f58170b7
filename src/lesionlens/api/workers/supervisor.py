"""Several worker processes on one socket, and whoever sees to it that they are there.

uvicorn has a supervisor, too. It starts a worker that dies again at once for ever without a pause, cannot tell a worker
whose engine hangs from one that computes, and ends with exit status 0 when it gives up.
"""

from __future__ import annotations

import signal
import socket
import time
from collections import deque
from collections.abc import Mapping
from types import FrameType
from typing import Any, Final

import structlog

from lesionlens.api.listener import take_no_more
from lesionlens.api.metrics_shared import SharedMetrics
from lesionlens.api.workers.main import CANNOT_START
from lesionlens.api.workers.patience import Patience
from lesionlens.api.workers.process import WorkerProcess, describe_end

__all__ = ["Supervisor"]

_STEP: Final = 0.1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Slot:
    """A place for one worker."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.worker: WorkerProcess | None = None
        self.successor: WorkerProcess | None = None
        self.failures = 0
        self.start_at = 0.0


class Supervisor:
    """Starts workers, replaces those that die or hang, and ends them in good order.

    SIGTERM and SIGINT end all workers, which answer what they have accepted; a second SIGINT does not wait for that.
    SIGHUP replaces one worker after the other, each when its successor is ready, so that a model that was changed on
    the disk is taken up without a request being lost.

    Args:
        listener: The listening socket; closed at the end.
        count: How many workers.
        settings: The workers' settings by field name that take precedence over the environment.
        patience: How long to wait for what.
    """

    def __init__(self, listener: socket.socket, count: int, settings: Mapping[str, Any], patience: Patience) -> None:
        self._listener = listener
        self._settings = settings
        self._patience = patience
        self._slots = [_Slot(number + 1) for number in range(count)]
        self._leaving: list[WorkerProcess] = []
        self._renewing: deque[_Slot] = deque()
        self._signals: deque[int] = deque()
        self._ending = False
        self._ended_by: int | None = None
        self._deaf_at = 0.0
        self._gave_up = False
        self._ever_ready = False
        self._metrics = SharedMetrics.create()
        self._log = structlog.stdlib.get_logger("lesionlens.supervisor")

    def run(self) -> int:
        """Work until told to stop, or until it makes no sense any more.

        Returns:
            The signal that ended it, negative, as `Popen.returncode` has it; 1 if it gave up.
        """
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            while not (self._ending and not self._leaving):
                self._step()
                time.sleep(_STEP)
        finally:
            for worker in self._all():  # none, unless something unforeseen happened
                worker.kill()
            self._metrics.close()
            for number, handler in before.items():
                signal.signal(number, handler)
        return 1 if self._gave_up else -(self._ended_by or signal.SIGTERM)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _step(self) -> None:
        while self._signals:
            self._obey(self._signals.popleft())
        for worker in self._all():
            if worker.listen():
                self._ever_ready = True
                self._log.info("worker ready", number=worker.number, pid=worker.pid)
        self._see_off()
        if self._ending:
            self._go_deaf()
            return
        for slot in self._slots:
            if not self._ending:  # looking after one may have been the end of all
                self._look_after(slot)
        if not self._ending:
            self._renew()

    def _obey(self, number: int) -> None:
        if number == signal.SIGHUP:
            if not self._ending and not self._renewing:
                self._log.info("all workers are renewed, one after the other")
                self._renewing.extend(self._slots)
        elif not self._ending:
            self._ended_by = number
            self._log.info("all workers end", signal=signal.Signals(number).name)
            self._end()
        elif number == signal.SIGINT:
            for worker in self._leaving:
                worker.interrupt()

    def _end(self) -> None:
        self._ending = True
        self._deaf_at = time.monotonic() + self._patience.drain
        self._go_deaf()
        for slot in self._slots:
            for worker in (slot.worker, slot.successor):
                if worker is not None:
                    self._dismiss(worker)
            slot.worker = slot.successor = None

    def _go_deaf(self) -> None:
        """Let nobody into the queue any more, shortly before the workers empty it and end."""
        if self._listener.fileno() != -1 and time.monotonic() >= self._deaf_at - 2 * _STEP:
            take_no_more(self._listener)
            self._listener.close()

    def _dismiss(self, worker: WorkerProcess) -> None:
        worker.end(self._patience.end)
        self._leaving.append(worker)

    def _see_off(self) -> None:
        for worker in list(self._leaving):
            if worker.ended() is not None:
                self._leaving.remove(worker)
                self._metrics.worker_ended(worker.pid)
            elif worker.kill_at is not None and time.monotonic() > worker.kill_at:
                self._log.error("worker did not end in time and is killed", number=worker.number, pid=worker.pid)
                worker.kill()
                worker.kill_at = None

    def _look_after(self, slot: _Slot) -> None:
        worker, now = slot.worker, time.monotonic()
        if worker is None:
            if now >= slot.start_at:
                self._fill(slot, now)
            return
        if (status := worker.ended()) is not None:
            slot.worker = None
            self._metrics.worker_ended(worker.pid)
            self._mourn(slot, worker, status)
        elif worker.stuck:
            self._replace(slot, worker, "stuck: its engine does not answer")
            worker.end(self._patience.end)
        elif 0 < self._patience.silence < now - worker.heard and worker.ready_since is not None:
            self._replace(slot, worker, "silent: its event loop hangs")
            worker.kill()
        elif worker.ready_since is None and now - worker.started > self._patience.start:
            self._replace(slot, worker, f"not ready after {self._patience.start:g} seconds")
            worker.kill()

    def _replace(self, slot: _Slot, worker: WorkerProcess, why: str) -> None:
        self._log.error("worker is replaced", number=slot.number, pid=worker.pid, why=why)
        self._metrics.count_restart("stuck")
        self._leaving.append(worker)
        slot.worker = None

    def _fill(self, slot: _Slot, now: float) -> None:
        try:
            slot.worker = self._start(slot)
        except OSError as error:  # no memory or no process to be had; there may be later
            slot.failures += 1
            slot.start_at = now + max(1.0, self._patience.before_start(slot.failures))
            self._log.error("a worker cannot be started", number=slot.number, why=str(error))

    def _start(self, slot: _Slot) -> WorkerProcess:
        worker = WorkerProcess(slot.number, self._listener.fileno(), self._settings, self._metrics.environment)
        self._log.info("worker started", number=slot.number, pid=worker.pid)
        return worker

    def _mourn(self, slot: _Slot, worker: WorkerProcess, status: int) -> None:
        """Decide what becomes of a place whose worker has died."""
        now, why = time.monotonic(), describe_end(status)
        lived = 0.0 if worker.ready_since is None else now - worker.ready_since
        slot.failures = slot.failures + 1 if lived < self._patience.steady else 1
        self._log.error("worker died", number=slot.number, pid=worker.pid, why=why, seconds=round(lived, 1))
        if status == CANNOT_START and not self._ever_ready:
            self._give_up("the workers cannot start; the line before says why")
        elif slot.failures >= self._patience.failures and not self._anybody_steady(now):
            self._give_up(
                f"a worker has died {slot.failures} times in a row within {self._patience.steady:g} seconds, at last "
                f"by {why}; starting it again makes no sense"
            )
        else:
            self._metrics.count_restart("died")
            slot.start_at = now + self._patience.before_start(slot.failures)

    def _anybody_steady(self, now: float) -> bool:
        return any(
            slot.worker is not None
            and slot.worker.ready_since is not None
            and now - slot.worker.ready_since >= self._patience.steady
            for slot in self._slots
        )

    def _give_up(self, why: str) -> None:
        self._log.critical("the service ends", why=why)
        self._gave_up = True
        self._end()

    def _renew(self) -> None:
        """Go on with replacing one worker after the other."""
        if not self._renewing:
            return
        slot = self._renewing[0]
        successor = slot.successor
        if successor is None:
            slot.successor = self._start(slot)
        elif successor.ready_since is not None:
            if slot.worker is not None:
                self._dismiss(slot.worker)
            slot.worker, slot.successor = successor, None
            slot.failures = 0
            self._renewing.popleft()
            if not self._renewing:
                self._log.info("all workers have been renewed")
        elif successor.ended() is not None or time.monotonic() - successor.started > self._patience.start:
            self._log.error("a new worker does not become ready; the old ones stay", pid=successor.pid)
            successor.kill()
            self._leaving.append(successor)
            slot.successor = None
            self._renewing.clear()

    def _all(self) -> list[WorkerProcess]:
        workers = [worker for slot in self._slots for worker in (slot.worker, slot.successor) if worker is not None]
        return [*workers, *self._leaving]
