"""One photo on all threads, or as many photos at once as there are threads: which answers more of them?"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from networks import Network

from lesionlens.errors import EngineError
from lesionlens.inference.engines import Engine, available_engines, create_engine

__all__ = ["print_together"]

_PASSES = 4  # for each thread and round


def print_together(network: Network, threads: int, rounds: int) -> None:
    """Print photos per second of one stream with all threads, and of a stream for each thread."""
    if threads < 2:
        print("\nOne thread: there is nothing to share out.")
        return
    photo = network.photos[:1]
    print(f"\n| network | 1 stream × {threads} threads, photos/s | {threads} streams × 1 thread | gain |")
    print("|---|---|---|---|")
    for name in available_engines():
        for graph, precision, arithmetic in (
            (network.graph, "fp32", "fp32"),
            (network.graph, "bf16", "bf16"),
            (network.int8[name], "int8", "fp32"),
        ):
            try:
                wide = create_engine(graph, name, threads, arithmetic)
                narrow = [create_engine(graph, name, 1, arithmetic) for _ in range(threads)]
            except EngineError:
                continue  # the table before said why
            with ThreadPoolExecutor(threads) as pool:

                def one(engine: Engine, passes: int) -> None:
                    for _ in range(passes):
                        engine.run(photo)

                rates: tuple[list[float], list[float]] = ([], [])
                for number in range(rounds + 1):
                    began = time.perf_counter()
                    one(wide, _PASSES * threads)
                    middle = time.perf_counter()
                    list(pool.map(one, narrow, [_PASSES] * threads))
                    ended = time.perf_counter()
                    if number:
                        rates[0].append(_PASSES * threads / (middle - began))
                        rates[1].append(_PASSES * threads / (ended - middle))
            first, second = map(statistics.median, rates)
            print(f"| {name} {precision} | {first:.1f} | {second:.1f} | {second / first:.2f}× |", flush=True)
