"""The service against a direct implementation with PyTorch and Flask: one command, one table.

Both serve the same EfficientNet-B5 at 456 pixels and are sent the same photos over HTTP, in turn, round after round.
Their answers are compared first. The figures that count are ratios within a round, so that they hold on other machines
as well. It needs the `bench` extra, and a machine with nothing else to do.

    python benchmarks/speed                 # about 4 minutes on two cores
    python benchmarks/speed --full          # about 20 minutes
    python benchmarks/speed --assert        # exit status 1 if a target is missed, 2 if the run is void
    python benchmarks/speed --smoke --busy  # shows in a minute or two that it works; its figures are worthless
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from client import MeasuringError
from figures import as_json, missed, summarise
from machine import IDLE, busy_share, describe
from photos import DATA, make_photos
from plan import PLANS
from run import measure_everything
from table import markdown, put_into
from targets import TARGETS

from lesionlens.settings import load_settings

HERE = Path(__file__).resolve().parent
VOID = 2
TYPICAL = (1.9, 0.19, 3)  # seconds of the baseline and of the service for a photo, and how many forms of it there are
PREPARATION = 60.0  # seconds of starts and comparisons before the rounds


def main() -> int:
    """Measure, print the table, and return the exit status."""
    options = _parser().parse_args()
    plan = PLANS["smoke" if options.smoke else "full" if options.full else "quick"]
    share = busy_share()
    if share > IDLE:
        print(f"Other programs use {100 * share:.0f} % of this machine's cores.", file=sys.stderr)
        if not options.busy:
            print("Nothing was measured. End them, or take --busy if no figure is needed.", file=sys.stderr)
            return VOID
    folder: Path = options.folder
    if not (folder / "bundle" / "manifest.json").is_file():
        _tell("making the weights, once")
        # In a process of its own: PyTorch's threads and memory must be gone when the measuring begins.
        subprocess.run([sys.executable, str(HERE / "weights.py"), str(folder)], check=True)
    photos = make_photos(options.data, plan.photos)
    begun = time.monotonic()
    _tell(f"takes about {(plan.seconds(*TYPICAL) + PREPARATION) / 60:.0f} minutes on two idle cores")
    try:
        run = measure_everything(folder, photos, plan, _tell)
    except MeasuringError as error:
        print(f"Void: {error}", file=sys.stderr)
        return VOID
    _tell(f"done in {(time.monotonic() - begun) / 60:.1f} minutes")
    figures = summarise(run.measured, run.starts)
    machine = describe()
    idle = run.foreign_share <= IDLE
    remarks = [
        f"{run.plan_words}; photos: {photos.source} ({len(photos.large) / 1e6:.1f} MB at 12 megapixels)",
        f"answers compared with the baseline's: {run.agreement_words}",
        f"memory as RSS {figures['memory_rss_mib'].text()} MiB",
        f"other programs used {100 * run.foreign_share:.1f} % of the cores meanwhile"
        + ("" if idle else ": **these figures are worthless**"),
        f"printed by `{' '.join(['python benchmarks/speed', *sys.argv[1:]])}`",
    ]
    text = markdown(figures, run.engines, machine, run.stages, remarks, plan)
    print(text)
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "speed.md").write_text(text, encoding="utf-8")
        document = {"figures": as_json(figures), "machine": machine, "engines": run.engines, "stages": run.stages}
        document |= {"remarks": remarks, "targets": [target._asdict() for target in TARGETS]}
        (options.output / "speed.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        _tell(f"written to {options.output}")
    if options.document is not None:
        options.document.write_text(put_into(options.document.read_text(encoding="utf-8"), text), encoding="utf-8")
        _tell(f"put into {options.document}")
    if not idle and not options.busy:
        print("Void: the machine was not idle.", file=sys.stderr)
        return VOID
    for target in (short := missed(figures)):
        value = figures[target.figure].value
        print(f"missed: {target.figure} is {value:.3g}, wanted {target.relation} {target.bound:g}", file=sys.stderr)
    return 1 if short and options.check else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help="more rounds, more requests")
    size.add_argument("--smoke", action="store_true", help="hardly any: only to see that it works")
    parser.add_argument("--assert", dest="check", action="store_true", help="exit status 1 if a target is missed")
    parser.add_argument("--busy", action="store_true", help="measure although other programs run")
    parser.add_argument("--output", type=Path, help="folder for speed.md and speed.json")
    parser.add_argument("--document", type=Path, help="Markdown file to put the table into, at its place")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of ISIC 2019 pictures, if there is one")
    parser.add_argument(
        "--folder",
        type=Path,
        default=load_settings().cache_dir / "benchmark-speed",
        help="where the weights are kept between runs (230 MB), and the logs",
    )
    return parser


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
