"""Keeps in memory what was made last, up to a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["BoundedCache"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """The values that were used last. It belongs to one event loop, so it needs no lock.

    Args:
        capacity: Most bytes that all values together may take.
        weigh: Says how many bytes a value takes.
    """

    def __init__(self, capacity: int, weigh: Callable[[V], int]) -> None:
        self._capacity = capacity
        self._weigh = weigh
        self._values: OrderedDict[K, V] = OrderedDict()
        self._held = 0
        self._generation = 0

    @property
    def generation(self) -> int:
        """How often everything has been forgotten."""
        return self._generation

    @property
    def held(self) -> int:
        """Bytes of all values."""
        return self._held

    def get(self, key: K) -> V | None:
        """Return a value; None if it is not there, or not any more."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: K, value: V, generation: int | None = None) -> None:
        """Keep a value; those that were not used for longest make room. One that is too large for all is not kept.

        Args:
            key: What it is found by.
            value: The value.
            generation: In which it was begun: it is not kept if everything was forgotten since. None for now.
        """
        if generation not in (None, self._generation):
            return
        if key in self._values:
            self._held -= self._weigh(self._values.pop(key))
        self._values[key] = value
        self._held += self._weigh(value)
        while self._held > self._capacity:
            self._held -= self._weigh(self._values.popitem(last=False)[1])

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._held = 0
        self._generation += 1
