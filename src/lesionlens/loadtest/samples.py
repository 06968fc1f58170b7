"""What became of each request."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One request.

    Attributes:
        begun: When it was sent, in seconds since the beginning of the test.
        seconds: How long it took until the last byte of the answer, or until it failed.
        status: HTTP status; None if there was no answer.
        error: Why there was none, or what was wrong with the answer; None if nothing was.
        retry_after: Whether the answer had the header `Retry-After`.
    """

    begun: float
    seconds: float
    status: int | None
    error: str | None = None
    retry_after: bool = False

    @property
    def answered(self) -> bool:
        """Whether the photo was analysed, rightly or not."""
        return self.status == 200

    @property
    def turned_away(self) -> bool:
        """Whether a busy service refused it as it should: 429 or 503 and when to come again."""
        return self.status in (429, 503) and self.retry_after

    @property
    def failed(self) -> bool:
        """Whether it went wrong: neither a right answer nor a refusal as it should be."""
        return self.error is not None or not (self.answered or self.turned_away)
