"""Threads for what would block the event loop, with a bound on how much may wait for them."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from lesionlens.api.admission import Admission
from lesionlens.api.tracing import span

__all__ = ["Pool"]

P = ParamSpec("P")
T = TypeVar("T")


class Pool:
    """A few threads for one kind of work. It belongs to one event loop.

    Args:
        name: What the threads, and the spans of traces, are called.
        threads: How many, at least 1; they start when they are needed.
        waiting: Most pieces of work that may be under way or waiting, at least 1.
        what: What these are, in words for the error message, such as "photos waiting".
    """

    def __init__(self, name: str, threads: int, waiting: int, what: str) -> None:
        self._name = name
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"lesionlens-{name}")
        self._admission = Admission(waiting, what)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in one of the threads.

        Work that has begun is finished even if whoever waits for it is cancelled.

        Args:
            work: What to call.
            *args: Its arguments.
            **kwargs: Its keyword arguments.

        Raises:
            RequestError: Too much is waiting (`overloaded`).
            Exception: What the function raises.
        """
        name = getattr(work, "__qualname__", type(work).__qualname__)
        with self._admission.enter(), span(self._name, {"code.function.name": name}):
            context = contextvars.copy_context()  # so that log lines of the thread carry the request's id
            call = partial(context.run, partial(work, *args, **kwargs))
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def close(self) -> None:
        """Finish what is under way or waiting and stop the threads; blocks until then."""
        self._threads.shutdown(wait=True)
