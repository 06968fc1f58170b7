"""A long load on a real service: is every answer right, none too late, and does memory stay?

Many clients send photos to `lesionlens serve` (the embedded model, in a process of its own) until both the time is over
and so many requests have been answered. A client that is turned away comes again when it was told to. Then a service
with a leak made on purpose, which keeps every upload, gets a shorter load: the memory check must catch it, or it shows
nothing.

    python benchmarks/endurance.py --clients 64 --seconds 300 --requests 20000
    python benchmarks/endurance.py --quick

Prints a table; the exit status is 1 if anything does not hold. The machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

sys.path.append(str(Path(__file__).resolve().parent / "speed"))  # behind this folder, whose names come first

from machine import others
from rich.console import Console
from rich.table import Table

from endurance_parts.checks import MEGABYTE, Check, check_answers, check_latency, check_memory, curve
from endurance_parts.service import LEAKING, SOUND, Memory, Service, serve
from lesionlens.loadtest.drive import Plan, run_load
from lesionlens.loadtest.photos import drawn_photo, read_photos
from lesionlens.loadtest.samples import Sample
from lesionlens.loadtest.summary import Summary, summarise

MOST_PROBABILITY: Final = 1e-3
MOST_PIXEL: Final = 3  # of 255
LEAKED: Final = bytes(512 * 1024)  # appended to the control's photos, which decoders do not mind
QUICK: Final = {"clients": 8, "seconds": 4.0, "requests": 60, "warm_up": 30, "control": 120, "photos": 2}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the test; returns the exit status."""
    options = _read(arguments)
    console = Console()
    console.print(f"{os.cpu_count()} CPUs")
    if (warning := others()) is not None:
        console.print(f"[bold red]The machine is busy: {warning}.[/]")
    photos = read_photos([options.photo], options.photos) if options.photo else _drawn(options.photos)
    settings = {"LESIONLENS_QUEUE_SIZE": str(options.queue_size)}
    with serve(SOUND, settings) as service:
        plan = Plan(
            service.url,
            photos,
            clients=options.clients,
            seconds=options.seconds,
            timeout=300,
            most_probability_difference=MOST_PROBABILITY,
            most_pixel_difference=MOST_PIXEL,
        )
        rate = _warm_up(plan, options.warm_up)
        estimate = max(options.seconds, options.requests / rate)
        console.print(f"about {rate:.1f} answers a second: the load takes some {estimate / 60:.0f} minutes")
        summary, memory = _load(service, plan, options.requests, rate)
    with serve(LEAKING, settings) as service:
        leaking = Plan(service.url, [photo + LEAKED for photo in photos[:1]], clients=4, timeout=300)
        rate = _warm_up(leaking, max(8, options.warm_up // 4))
        _, leak = _load(service, replace(leaking, seconds=0.0), options.control, rate)
    checks = [
        check_answers(summary),
        check_latency(summary, options.queue_size),
        check_memory(memory, options.most_growth * MEGABYTE),
    ]
    caught = check_memory(leak, options.most_growth * MEGABYTE)
    checks.append(Check("control: a leak is caught", caught.measured, f"more than {caught.bound}", not caught.holds))
    _print(console, summary, memory, checks)
    if options.json:
        figures = {
            "summary": summary.to_json(),
            "checks": [asdict(check) for check in checks],
            "curve": curve(memory, 60),
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if all(check.holds for check in checks) else 1


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=64, help="clients at once (64)")
    parser.add_argument("--seconds", type=float, default=300.0, help="the load lasts at least so long (300)")
    parser.add_argument("--requests", type=int, default=20_000, help="and until so many have been answered (20000)")
    parser.add_argument("--queue-size", type=int, default=32, help="LESIONLENS_QUEUE_SIZE (32)")
    parser.add_argument("--warm-up", type=int, default=500, help="requests before memory is looked at (500)")
    parser.add_argument("--control", type=int, default=600, help="requests to the service that leaks (600)")
    parser.add_argument("--most-growth", type=float, default=50.0, help="megabytes that memory may grow by (50)")
    parser.add_argument("--photos", type=int, default=8, help="different photos that are sent (8)")
    parser.add_argument("--photo", type=Path, help="picture or folder to send instead of drawn ones")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--quick", action="store_true", help="a few seconds of everything, to see that it works")
    options = parser.parse_args(arguments)
    if options.quick:
        for name, value in QUICK.items():
            if getattr(options, name) == parser.get_default(name):
                setattr(options, name, value)
    return options


def _drawn(count: int) -> list[bytes]:
    return [drawn_photo(seed=seed) for seed in range(count)]


def _warm_up(plan: Plan, requests: int) -> float:
    """Send some requests; returns how many were answered a second."""
    samples = asyncio.run(run_load(replace(plan, seconds=3600.0, requests=requests)))
    return max(0.1, summarise(samples).per_second)


def _load(service: Service, plan: Plan, requests: int, rate: float) -> tuple[Summary, Memory]:
    """Load the service for the plan's seconds, and further until so many requests have been answered.

    Args:
        service: What is loaded.
        plan: What is sent.
        requests: How many must be answered.
        rate: How many probably are, a second.
    """
    samples: list[Sample] = []
    answered: list[Sample] = []
    begun = time.perf_counter()

    def seen(sample: Sample) -> None:
        if sample.answered:
            answered.append(sample)

    with service.sampled(answered, every=0.2 if requests < 1000 else 1.0) as memory:
        while (passed := time.perf_counter() - begun) < plan.seconds or len(answered) < requests:
            part = replace(plan, seconds=max(1.0, plan.seconds - passed, (requests - len(answered)) / rate))
            load = asyncio.run(run_load(part, seen))
            samples += [replace(sample, begun=sample.begun + passed) for sample in load]
            if not answered:
                break  # a service that answers nothing never comes to an end
    return summarise(samples), memory


def _print(console: Console, summary: Summary, memory: Memory, checks: Sequence[Check]) -> None:
    table = Table(box=None, pad_edge=False, title=None)
    for heading in ("what", "measured", "bound", ""):
        table.add_column(heading)
    for check in checks:
        mark = "[green]holds[/]" if check.holds else "[bold red]does not hold[/]"
        table.add_row(check.what, check.measured, check.bound, mark)
    console.print(table)
    rows: list[tuple[str, Any]] = [
        ("requests", f"{summary.requests:,} in {summary.seconds:.0f} s"),
        ("answered, each as the photo alone", f"{summary.answered:,}, {summary.per_second:.1f} a second"),
        ("turned away in good order", f"{summary.turned_away:,}"),
    ]
    for name, latency in (("answers", summary.latency), ("refusals", summary.refusal)):
        if latency is not None:
            values = " · ".join(
                f"{1000 * value:,.0f}" for value in (latency.p50, latency.p90, latency.p99, latency.largest)
            )
            rows.append((f"{name}: median · 90 % · 99 % · slowest, ms", values))
    rows.append(("memory, MB after requests", " · ".join(f"{mb:.0f} ({n:,})" for n, mb in curve(memory))))
    for name, value in rows:
        console.print(f"{name:45} {value}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
