"""Clients that send photos one after the other, each over a connection of its own."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from lesionlens.errors import LesionLensError
from lesionlens.loadtest.answers import MOST_PIXEL_DIFFERENCE, MOST_PROBABILITY_DIFFERENCE, difference
from lesionlens.loadtest.patterns import Pattern, clients_at
from lesionlens.loadtest.samples import Sample

__all__ = ["LoadTestError", "Plan", "run_load"]

_IDLE_SECONDS: Final = 0.05
_LONGEST_PAUSE: Final = 5.0
_END: Final = object()


class LoadTestError(LesionLensError):
    """The service could not be tested: it does not answer even a single request."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a load test does.

    Attributes:
        url: Where the service is, such as `http://localhost:5000`.
        photos: Picture files; the clients take turns with them.
        pattern: How the number of clients changes.
        clients: The most clients at once, at least 1.
        seconds: For how long requests begin; infinite for a steady test that ends after so many requests.
        requests: After how many the test ends, if it has not ended before; None for as many as the time allows.
        timeout: Seconds after which a request without an answer has failed.
        patient: Whether a client that was turned away waits as `Retry-After` says (at most 5 s), as well-behaved ones
            do, or comes again at once.
        api_key: Sent as a bearer token, for a service that protects `/predict`.
        most_probability_difference: By how much a probability may differ from that of the photo alone.
        most_pixel_difference: By how much a channel of the heatmap may, of 255.
    """

    url: str
    photos: Sequence[bytes]
    pattern: Pattern = "steady"
    clients: int = 8
    seconds: float = 30.0
    requests: int | None = None
    timeout: float = 60.0
    patient: bool = True
    api_key: str | None = None
    most_probability_difference: float = MOST_PROBABILITY_DIFFERENCE
    most_pixel_difference: int = MOST_PIXEL_DIFFERENCE


async def run_load(plan: Plan, seen: Callable[[Sample], None] | None = None) -> list[Sample]:
    """Put a service under load.

    First each photo is sent alone: its answer is what all later ones are compared with.

    Args:
        plan: What to do.
        seen: Called with each sample as it comes.

    Returns:
        One sample for each request that was begun, in the order in which they ended. All have ended: the service is
        given time to answer what was sent.

    Raises:
        LoadTestError: A photo sent alone was not answered.
    """
    samples: list[Sample] = []

    def keep(sample: Sample) -> None:
        samples.append(sample)
        if seen is not None:
            seen(sample)

    references = await _references(plan)
    left = itertools.repeat(None) if plan.requests is None else itertools.repeat(None, plan.requests)
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(plan.clients):
            group.create_task(_client(plan, number, references, begun, left, keep))
    return samples


def _connection(plan: Plan) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {plan.api_key}"} if plan.api_key else {}
    # trust_env: a proxy from the environment must not stand between a load test and what it tests.
    return httpx.AsyncClient(base_url=plan.url, timeout=plan.timeout, headers=headers, trust_env=False)


async def _references(plan: Plan) -> list[bytes]:
    references = []
    async with _connection(plan) as connection:
        for photo in plan.photos:
            try:
                answer = await connection.post("/predict", files={"file": ("photo", photo)})
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise LoadTestError(f"{plan.url!r} is no address such as http://localhost:5000: {error}") from error
            except httpx.HTTPError as error:
                raise LoadTestError(f"{plan.url} does not answer: {error or type(error).__name__}") from error
            if answer.status_code != 200:
                raise LoadTestError(
                    f"{plan.url}/predict answered a single photo with {answer.status_code}: {answer.text[:200]}"
                )
            references.append(answer.content)
    return references


async def _client(
    plan: Plan,
    number: int,
    references: Sequence[bytes],
    begun: float,
    left: Iterator[None],
    keep: Callable[[Sample], None],
) -> None:
    turn = number
    async with _connection(plan) as connection:
        while (moment := time.perf_counter() - begun) < plan.seconds:
            if number >= clients_at(plan.pattern, moment, plan.seconds, plan.clients):
                await asyncio.sleep(_IDLE_SECONDS)
                continue
            if next(left, _END) is _END:
                return
            which = turn % len(plan.photos)
            turn += plan.clients
            sample, pause = await _send(plan, connection, which, references[which], begun)
            keep(sample)
            if pause and plan.patient:
                remaining = plan.seconds - (time.perf_counter() - begun)
                await asyncio.sleep(min(pause, _LONGEST_PAUSE, max(0.0, remaining)))


async def _send(
    plan: Plan, connection: httpx.AsyncClient, which: int, reference: bytes, begun: float
) -> tuple[Sample, float | None]:
    """Send one photo; return what became of it, and how many seconds the service asks to wait."""
    started = time.perf_counter()
    try:
        answer = await connection.post("/predict", files={"file": ("photo", plan.photos[which])})
    except httpx.HTTPError as error:
        seconds = time.perf_counter() - started
        return Sample(started - begun, seconds, None, type(error).__name__), None
    seconds = time.perf_counter() - started
    wait = answer.headers.get("Retry-After")
    error_words = None
    if answer.status_code == 200:
        # In a thread: comparing pictures must not keep the other clients from sending.
        tolerances = plan.most_probability_difference, plan.most_pixel_difference
        error_words = await asyncio.to_thread(difference, reference, answer.content, *tolerances)
    sample = Sample(started - begun, seconds, answer.status_code, error_words, wait is not None)
    return sample, float(wait) if wait is not None and wait.isdigit() else None
