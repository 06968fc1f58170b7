"""A limit on how many requests may be somewhere at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lesionlens.api.problems import OVERLOADED, RequestError

__all__ = ["Admission"]


class Admission:
    """Counts who is inside and turns away at once whoever comes when it is full.

    It belongs to one event loop, so it needs no lock.

    Args:
        limit: How many may be inside, at least 1.
        what: What fills it, in words for the error message, such as "photos waiting".
    """

    def __init__(self, limit: int, what: str) -> None:
        self._limit = limit
        self._what = what
        self._inside = 0

    @property
    def inside(self) -> int:
        """How many are inside now."""
        return self._inside

    def check(self, retry_after: int = 1) -> None:
        """Turn away if it is full, without entering.

        Args:
            retry_after: Whole seconds after which it is worth trying again.

        Raises:
            RequestError: It is full (`overloaded`, with the header `Retry-After`).
        """
        if self._inside >= self._limit:
            raise RequestError(
                OVERLOADED,
                f"The service is busy: {self._inside} {self._what}, the most it takes. "
                f"Try again in {retry_after} second{'' if retry_after == 1 else 's'}.",
                headers={"Retry-After": str(retry_after)},
            )

    @contextmanager
    def enter(self, retry_after: int = 1) -> Iterator[None]:
        """Be inside for the length of a `with` block.

        Raises:
            RequestError: It is full.
        """
        self.check(retry_after)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
