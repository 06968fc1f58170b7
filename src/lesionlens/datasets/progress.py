"""How long-running data work tells its caller how far it is."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """Called now and then with how much of a step is done."""

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Take note.

        Args:
            step: What is being done, in words; a new text means a new step.
            done: Amount done, in bytes or pieces.
            total: Amount to do in the same unit; None if unknown.
        """
        ...


def silent(step: str, done: int, total: int | None) -> None:
    """Take no note."""
