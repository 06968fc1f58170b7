"""What a run tells while it goes on, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Progress", "TrainResult"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is, told after every step.

    Attributes:
        epoch: Epoch, 0-based.
        step: Steps taken over the whole run.
        steps: Steps of the whole run.
        images: Pictures a step takes over all processes.
        loss: Mean training loss of the epoch so far.
        message: A line worth keeping, at the end of an epoch.
    """

    epoch: int
    step: int
    steps: int
    images: int
    loss: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """How a run ended.

    Attributes:
        finished: Whether it came to its end; False when its time was up and it can be resumed.
        weights: File of the averaged weights to use.
        history: Metrics of every epoch.
    """

    finished: bool
    weights: Path
    history: list[dict[str, float]]
