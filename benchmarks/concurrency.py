"""How many requests at once an instance should be given: answers per second and latency against the number of clients.

    python benchmarks/concurrency.py                    # the embedded model; about 3 minutes on an idle machine
    python benchmarks/concurrency.py --model lite2 --levels 1,2,4 --seconds 5

A service computes one batch at a time with all its cores. A second client keeps the cores busy while the first one's
answer travels, a few more fill what decoding and drawing leave free; from there on more of them only wait for each
other. The *optimum* is the fewest clients that get 95 % of the most answers per second: what
`containerConcurrency` of deploy/cloud-run/service.yaml should be, since an autoscaler starts the next instance by it.

Each level gets a third of its time before it is measured. The machine should have nothing else to do; the clients run
on it too.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

sys.path.append(str(Path(__file__).resolve().parent / "speed"))  # behind this folder, whose names come first

from machine import describe, others
from rich.console import Console
from rich.table import Table

from endurance_parts.service import SOUND, serve
from lesionlens.inference.embedded import DEFAULT_MODEL
from lesionlens.loadtest.drive import Plan, run_load
from lesionlens.loadtest.photos import drawn_photo, read_photos
from lesionlens.loadtest.summary import Summary, summarise

ENOUGH: Final = 0.95  # of the most answers per second


def optimum(rates: Mapping[int, float]) -> int:
    """Return the fewest clients that get `ENOUGH` of the most answers per second.

    Args:
        rates: Answers per second by number of clients.
    """
    most = max(rates.values())
    return min(clients for clients, rate in rates.items() if rate >= ENOUGH * most)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if anything but an answer came."""
    options = _read(arguments)
    console = Console()
    console.print(", ".join(f"{name} {value}" for name, value in describe().items()), soft_wrap=True)
    if (warning := others()) is not None:
        console.print(f"[bold red]The machine is busy: {warning}.[/]")
    photos = read_photos([options.photo], 8) if options.photo else [drawn_photo(seed=seed) for seed in range(8)]
    levels = sorted({int(level) for level in options.levels.split(",")})
    settings = {"LESIONLENS_MODEL": options.model, "LESIONLENS_QUEUE_SIZE": str(max(32, *levels))}
    found: dict[int, Summary] = {}
    with serve(SOUND, settings) as service:
        for clients in levels:
            plan = Plan(service.url, photos, clients=clients, timeout=300, seconds=options.seconds / 3)
            asyncio.run(run_load(plan))
            found[clients] = summarise(asyncio.run(run_load(replace(plan, seconds=options.seconds))))
            rate = found[clients].per_second
            console.print(f"{clients} clients: {rate:.1f} answers a second", highlight=False)
    _print(console, found)
    return 0 if all(summary.requests == summary.answered for summary in found.values()) else 1


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", default="1,2,3,4,6,8,16,32", help="numbers of clients, with commas between them")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each is measured (15)")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or bundle")
    parser.add_argument("--photo", type=Path, help="picture or folder to send instead of drawn ones")
    return parser.parse_args(arguments)


def _print(console: Console, found: Mapping[int, Summary]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("clients", "answers/s", "median, ms", "99 %, ms", "slowest, ms"):
        table.add_column(heading, justify="right")
    for clients, summary in found.items():
        latency = summary.latency
        times = ("–",) * 3 if latency is None else (latency.p50, latency.p99, latency.largest)
        cells = [value if isinstance(value, str) else f"{1000 * value:,.0f}" for value in times]
        table.add_row(str(clients), f"{summary.per_second:.1f}", *cells)
    console.print(table)
    best = optimum({clients: summary.per_second for clients, summary in found.items()})
    console.print(f"Optimum: {best} requests at once (the fewest with {ENOUGH:.0%} of the most answers a second).")


if __name__ == "__main__":
    sys.exit(main())
