"""The measuring itself: all contenders in turn, again and again, so that whatever slows the machine slows them all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from client import latencies, throughput
from photos import Photos
from plan import Plan
from processes import BareNetwork, Service

__all__ = ["Measured", "measure_alone", "measure_load"]

NAIVE: Final = "naive"
_PAUSE: Final = 0.1  # seconds between turns: threads that spin for more work have given up by then


@dataclass
class Measured:
    """What was measured, by contender; one value for each round, so that values of a round can be compared.

    Attributes:
        small: Median seconds of a request with a small photo.
        large: Median seconds of a request with the large photo.
        bare: Median seconds of a forward pass, in no service.
        throughput: Answers per second under load.
    """

    small: dict[str, list[float]] = field(default_factory=dict)
    large: dict[str, list[float]] = field(default_factory=dict)
    bare: dict[str, list[float]] = field(default_factory=dict)
    throughput: dict[str, list[float]] = field(default_factory=dict)


def measure_alone(
    measured: Measured,
    services: Mapping[str, Service],
    networks: Mapping[str, BareNetwork],
    photos: Photos,
    plan: Plan,
    tell: Callable[[str], None],
) -> None:
    """Measure one client at a time.

    Args:
        measured: Takes the results.
        services: The contenders by name; the baseline is `naive`.
        networks: The bare network of each but the baseline.
        photos: What is sent.
        plan: How much.
        tell: Is told of every round.
    """
    for number in range(plan.rounds):
        for name in _turned(list(services), number):
            count = plan.naive_each if name == NAIVE else plan.ours_each
            url = services[name].url
            _keep(measured.small, name, statistics.median(latencies(url, photos.small, count)))
            _keep(measured.large, name, statistics.median(latencies(url, [photos.large], count)))
            time.sleep(_PAUSE)
            if name in networks:
                _keep(measured.bare, name, statistics.median(networks[name].run(count)))
                time.sleep(_PAUSE)
        tell(f"one client, round {number + 1} of {plan.rounds}")


def measure_load(
    measured: Measured, services: Mapping[str, Service], photos: Photos, plan: Plan, tell: Callable[[str], None]
) -> None:
    """Measure several clients at once; the arguments are those of `measure_alone`."""
    for number in range(plan.load_rounds):
        for name in _turned(list(services), number):
            each = plan.naive_per_client if name == NAIVE else plan.ours_per_client
            _keep(measured.throughput, name, throughput(services[name].url, photos.small, plan.clients, each))
            time.sleep(_PAUSE)
        tell(f"{plan.clients} clients, round {number + 1} of {plan.load_rounds}")


def _turned(names: list[str], number: int) -> list[str]:
    """Let another one begin each time: nobody always comes after the same neighbour."""
    start = number % len(names)
    return names[start:] + names[:start]


def _keep(values: dict[str, list[float]], name: str, value: float) -> None:
    values.setdefault(name, []).append(value)
