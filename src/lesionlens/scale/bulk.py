"""Classifying the parts of a run on a Ray cluster, with Ray Data.

Ray hands parts to actors, starts actors anew that died, and gives the parts of a lost machine to others. Since a part
is computed as a whole from what is listed for it, none of that shows in the results. Photos go from where they lie to
the workers and nowhere else; what comes back is 0.9 KB for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lesionlens.bulk.classify import Options
from lesionlens.bulk.result import Result
from lesionlens.bulk.run import Part, Runner, unpack
from lesionlens.classifier import Classifier
from lesionlens.errors import BulkError
from lesionlens.scale.cluster import slots
from lesionlens.scale.shipping import ShippedBundle
from lesionlens.scale.workers import Order, PartWorker, as_row

__all__ = ["run_on_ray"]

_ERROR: Final = re.compile(r"(\w+\.)*\w+(Error|Exception): ")
_IN_FLIGHT: Final = 2  # parts at a worker, one of them waiting


def run_on_ray(
    ray: Any,
    classifier: Classifier,
    options: Options,
    seen: Callable[[Result], object],
    *,
    threads: int = 1,
    workers: int = 0,
) -> Runner:
    """Return what classifies parts on a cluster.

    Args:
        ray: The connected `ray` module (`lesionlens.scale.cluster.connected`).
        classifier: The model; its bundle is sent to the workers, which load it in the same engine.
        options: How.
        seen: Told of each result when its part is done.
        threads: CPUs of a worker, at least 1. Where the engine computes on a GPU, a worker takes one of these too.
        workers: How many workers; 0 for as many as the cluster has room for. More than that make an autoscaling cluster
            grow.
    """

    def run(parts: Sequence[Part]) -> Iterator[tuple[int, list[Result]]]:
        gpu = classifier.engine_info.device != "cpu"
        size = min(len(parts), workers or slots(ray.cluster_resources(), threads, gpu))
        order = Order(
            engine=classifier.engine_info.name,
            precision=classifier.engine_info.precision,
            threads=threads,
            tta=classifier.tta,
            options=replace(options, base=options.base or str(Path.cwd())),
            model=classifier.description,
        )
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        bundle = [ray.put(ShippedBundle.of(classifier.bundle))]
        rows = [as_row(index, entries) for index, entries in parts]
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            PartWorker,
            fn_constructor_args=(order, bundle),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=_IN_FLIGHT),
            num_cpus=threads,
            num_gpus=1 if gpu else 0,
        )
        try:
            for table in done.iter_batches(batch_size=None, batch_format="pyarrow"):
                for row in table.to_pylist():
                    results = unpack(row["results"])
                    for result in results:
                        seen(result)
                    yield row["index"], results
        except (ray.exceptions.RayError, ray.data.exceptions.RayDataUserCodeException) as error:
            raise BulkError(f"the run on Ray stopped: {_said(error)}") from error

    return run


def _said(error: BaseException) -> str:
    """Return what went wrong at a worker, out of the tracebacks that Ray makes of it, with advice around them."""
    chain: list[BaseException] = []
    link: Any = error
    while isinstance(link, BaseException) and link not in chain:
        chain.append(link)
        link = getattr(link, "cause", None) or link.__cause__
    lines = [line.strip() for link in chain for line in str(link).splitlines() if line.strip()]
    told = [line for line in lines if _ERROR.match(line)]
    ours = [line for line in told if line.startswith("lesionlens.")]
    text = (ours or told or lines or [type(error).__name__])[-1]
    return _ERROR.sub("", text) if ours else text
