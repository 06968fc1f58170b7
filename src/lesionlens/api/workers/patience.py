"""How long a supervisor waits for its workers, and when it gives them up."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Patience"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits for what, in seconds.

    Attributes:
        silence: For a sign of life of a worker that has been ready; 0 for ever.
        start: For a worker to become ready.
        end: For a worker to end after it was told to.
        drain: For load balancers to notice the end; for so long workers go on taking connections.
        steady: A worker that was ready for so long has not died "at once".
        failures: After so many deaths at once, one after the other, it gives up if no other worker is steady.
        pause: Before the third start in such a row; twice as long before each further one. The second is at once.
        longest_pause: At most so long.
    """

    silence: float
    end: float
    drain: float = 0.0
    start: float = 600.0
    steady: float = 10.0
    failures: int = 6
    pause: float = 0.5
    longest_pause: float = 30.0

    def before_start(self, failures: int) -> float:
        """Return how long to wait with the next start after so many deaths at once."""
        return 0.0 if failures < 2 else min(self.longest_pause, self.pause * 2.0 ** (failures - 2))
