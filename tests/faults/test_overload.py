"""More requests than can be answered: the rest is refused at once, and who was accepted is answered in time."""

from __future__ import annotations

import asyncio

from fault_tools import Workers, figure, workers

from lesionlens.loadtest.drive import Plan, run_load
from lesionlens.loadtest.photos import drawn_photo
from lesionlens.loadtest.summary import summarise

QUEUE = 3


def overload(service: Workers, clients: int, requests: int) -> None:
    photos = [drawn_photo(320, 240, seed=seed) for seed in range(2)]
    plan = Plan(service.url, photos, clients=clients, seconds=60, requests=requests, patient=False)
    summary = summarise(asyncio.run(run_load(plan)))
    assert summary.failed == 0, summary.errors  # each answer is right, each refusal says when to come again
    assert set(summary.statuses) == {"200", "503"}
    assert summary.latency is not None
    assert summary.refusal is not None
    # A refusal does not wait for any photo: it takes a small part of what an answer takes, in the same run.
    assert summary.refusal.p99 < 0.5 * summary.latency.p50, (summary.refusal, summary.latency)
    # An answer waits for those before it and no longer; the clients' own work in this process comes on top.
    service_time = 1 / summary.per_second
    bound = (QUEUE * service.count + clients) * service_time
    assert summary.latency.p99 < bound, (summary.latency, bound)
    refused = figure(service.url, "lesionlens_rejected_total", reason="overloaded")
    assert refused == summary.turned_away


def test_one_process_refuses_at_once() -> None:
    # Eight views of each photo: what is computed outweighs what the clients of this test do themselves.
    with workers(1, "--tta", "8", LESIONLENS_QUEUE_SIZE=str(QUEUE), LESIONLENS_MAX_BATCH="1") as service:
        overload(service, clients=12, requests=150)
