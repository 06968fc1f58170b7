"""Bulk classification in one process against a Ray cluster on the same machine: pictures a second, in all and per core.

    python benchmarks/scale.py                                  # drawn pictures; about 3 minutes on a quiet machine
    python benchmarks/scale.py --photos photos/ --pictures 4000 --json scale.json

All do the same work: the same files in the same parts, with results in a CSV file. `here, one thread` is what a core
does, `here` is `lesionlens classify` as it is, with all CPUs, and `Ray` has a worker for each CPU. The files of the
first and the last must be equal to the byte, or it ends with 1.

Start-up (Ray, its workers, the first part) is told apart, since a long run does not feel it: the rate is taken between
the first part's end and the last one's. Each is done `--repeats` times in turn, and the best is told: what disturbs a
machine only ever slows it down.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent / "speed"))  # behind this folder, whose names come first

from machine import others
from rich.console import Console
from rich.table import Table

from lesionlens import Classifier
from lesionlens.bulk import Entry, Job, Options, Result, Runner, Target, find_pictures, part_size, run_here
from lesionlens.bulk.run import Part
from lesionlens.inference.threads import usable_cpus
from lesionlens.loadtest.photos import drawn_photo
from lesionlens.scale.bulk import run_on_ray
from lesionlens.scale.cluster import connected
from scale_parts.memory import ClusterMemory, sampled

_FAIR_SHARE = 0.7


@dataclass(frozen=True)
class Measured:
    """One run.

    Attributes:
        name: What ran.
        cores: CPUs that it may use.
        seconds: From the start to the finished file, start-up included.
        start: Seconds until the first part was done.
        rate: Pictures a second between the first part's end and the last one's.
    """

    name: str
    cores: int
    seconds: float
    start: float
    rate: float

    @property
    def per_core(self) -> float:
        """Pictures a second and core."""
        return self.rate / self.cores


class Watch:
    """Notes when parts are done."""

    def __init__(self) -> None:
        self.begun = time.perf_counter()
        self.done: list[tuple[float, int]] = []

    def around(self, runner: Runner) -> Runner:
        """Return the same runner, watched."""

        def run(parts: Sequence[Part]) -> Iterator[tuple[int, list[Result]]]:
            for index, results in runner(parts):
                self.done.append((time.perf_counter(), len(results)))
                yield index, results

        return run

    def measured(self, name: str, cores: int) -> Measured:
        """Return what was seen."""
        seconds = time.perf_counter() - self.begun
        (first, _), (last, _) = self.done[0], self.done[-1]
        rate = sum(count for _, count in self.done[1:]) / (last - first)
        return Measured(name, cores, seconds, first - self.begun, rate)


def main() -> int:
    """Measure, compare and print; 1 if the results differ."""
    arguments = _arguments()
    console, cpus = Console(), usable_cpus()
    if (warning := others()) is not None:
        console.print(f"[yellow]The machine is busy: {warning}.[/]")
    with tempfile.TemporaryDirectory(prefix="lesionlens-scale-") as made:
        work = Path(made)
        entries = _pictures(arguments, work)
        one = Classifier(arguments.model, engine=arguments.engine, threads=1)
        ways: dict[str, tuple[int, Classifier]] = {
            "here, one thread": (1, one),
            "here": (cpus, Classifier(arguments.model, engine=arguments.engine)),
            f"Ray, {cpus} workers": (cpus, one),
        }
        best: dict[str, Measured] = {}
        memory = ClusterMemory()
        files: dict[str, bytes] = {}
        for _ in range(arguments.repeats):
            for name, (cores, classifier) in ways.items():
                with sampled() if name.startswith("Ray") else nullcontext(ClusterMemory()) as seen:
                    measured, files[name] = _run(name, cores, classifier, entries, work, ray=name.startswith("Ray"))
                memory = seen if seen.workers else memory
                if name not in best or measured.rate > best[name].rate:
                    best[name] = measured
    same = len({files[name] for name, (_, classifier) in ways.items() if classifier is one}) == 1
    _show(console, list(best.values()), len(entries), same, one)
    if memory.workers:
        console.print(
            f"Memory on Ray, MB (PSS): largest worker {max(memory.largest) / 1e6:.0f}, all workers "
            f"{max(memory.workers) / 1e6:.0f} ({memory.growth() / 1e6:+.0f} from the middle third to the last), "
            f"Ray itself {max(memory.rest) / 1e6:.0f}, driver {max(memory.driver) / 1e6:.0f}."
        )
    if arguments.json is not None:
        figures = {
            "pictures": len(entries),
            "cpus": cpus,
            "same_results": same,
            "model": one.description,
            "memory": asdict(memory),
        }
        runs = [asdict(m) | {"per_core": m.per_core} for m in best.values()]
        arguments.json.write_text(json.dumps(figures | {"runs": runs}, indent=2) + "\n")
    return 0 if same else 1


def _run(
    name: str, cores: int, classifier: Classifier, entries: list[Entry], work: Path, *, ray: bool
) -> tuple[Measured, bytes]:
    target = Target(work / "results.csv", "file", "csv")
    options, watch = Options(), Watch()
    with ExitStack() as stack:
        nothing: Callable[[Result], object] = lambda _: None  # noqa: E731
        if ray:
            cluster: Any = stack.enter_context(connected("local"))
            runner = run_on_ray(cluster, classifier, options, nothing, threads=1, workers=cores)
        else:
            runner = run_here(classifier, options, nothing)
        job = Job(target, {}, restart=True)
        job.begin(classifier.description, entries, batch_size=options.batch_size)
        job.run(watch.around(runner))
        job.finish()
    return watch.measured(name, cores), (work / "results.csv").read_bytes()


def _pictures(arguments: argparse.Namespace, work: Path) -> list[Entry]:
    if arguments.photos:
        files = find_pictures(arguments.photos).files
        if not files:
            sys.exit(f"no pictures in {', '.join(arguments.photos)}")
    else:
        photo, files = drawn_photo(), []
        for i in range(min(arguments.pictures, 64)):
            file = work / f"{i:02}.jpg"
            file.write_bytes(photo)
            files.append(file)
    repeated = [Entry(files[i % len(files)]) for i in range(arguments.pictures)]
    if len(repeated) < 4 * part_size(len(repeated), Options().batch_size):
        sys.exit(f"--pictures {len(repeated)} makes fewer than four parts; give at least 256")
    return repeated


def _show(console: Console, runs: list[Measured], pictures: int, same: bool, classifier: Classifier) -> None:
    one = runs[0]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("", "cores", "start, s", "pictures/s", "per core", "of one thread × cores"):
        table.add_column(column, justify="left" if not column else "right")
    for run in runs:
        share = run.per_core / one.rate
        cells = [run.name, str(run.cores), f"{run.start:.1f}", f"{run.rate:.1f}", f"{run.per_core:.1f}", f"{share:.0%}"]
        table.add_row(*cells)
    described = classifier.description
    console.print(
        f"{pictures} pictures, {described['name']} {described['version']} ({described['engine']}), {_machine()}"
    )
    console.print(table)
    console.print(
        "The files of results of one thread and of Ray are the same." if same else "[red]The results differ.[/]"
    )
    for run in runs[1:]:
        if run.per_core / one.rate < _FAIR_SHARE:
            console.print(
                f"{run.name}: less than {_FAIR_SHARE:.0%} of the cores' own rate; was something else running?"
            )


def _machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{usable_cpus()} CPUs of {name}, Python {platform.python_version()}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--photos", nargs="*", default=[], help="files, folders, patterns or URLs; by default drawn ones"
    )
    parser.add_argument(
        "--pictures", type=int, default=2000, help="how many are classified; photos come again as needed"
    )
    parser.add_argument("--model", default="lite2")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
