"""The command: `PYTHONPATH=tests python -m fuzz`. Exits with 1 if any input did harm."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from fuzz.bounds import Bounds
from fuzz.campaign import Finding, run
from fuzz.seeds import real_seeds
from fuzz.targets import TARGETS


def main() -> int:
    """Run a campaign as the command line says; returns the exit status."""
    options = _options()
    if options.target == "picture" and not options.file:
        print(f"made of drawn files and {len(real_seeds())} real photos", flush=True)
    done = 0

    def show(more: int) -> None:
        nonlocal done
        before, done = done, done + more
        if done // 5000 > before // 5000:
            print(f"{done} of {options.inputs}; to go on from here: --first {options.first + done}", flush=True)

    report = run(
        options.target,
        options.first,
        1 if options.file else options.inputs,
        save=options.save,
        bounds=Bounds(memory=options.memory_mib * 1024 * 1024),
        workers=1 if options.file else options.workers,
        file=options.file and str(Path(options.file).resolve()),
        progress=show if options.workers == 1 else None,  # of several, no number says where all have come to
    )
    for finding in report.findings:
        print(_told(finding, options.target))
    print(f"fuzz {options.target}: {report.summary()}")
    return 1 if report.findings else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Throw damaged files at what reads them.")
    parser.add_argument("--target", choices=sorted(TARGETS), default="picture", help="what reads them")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--inputs", type=int, default=100_000, help="how many")
    parser.add_argument("--workers", type=int, default=1, help="processes at once")
    parser.add_argument("--memory-mib", type=int, default=64, help="by how much an input may raise the peak memory")
    parser.add_argument("--file", default="", help="read this file instead, such as one that was saved")
    parser.add_argument(
        "--save",
        type=Path,
        default=Path(tempfile.gettempdir()) / "lesionlens-fuzz",
        help="folder for inputs that did harm (default: %(default)s)",
    )
    return parser.parse_args()


def _told(finding: Finding, target: str) -> str:
    again = f"PYTHONPATH=tests python -m fuzz --target {target} --first {finding.number} --inputs 1"
    return f"\n{finding.kind}: {finding.name}\n{finding.detail}\nsaved: {finding.saved}\nagain: {again}\n"


if __name__ == "__main__":
    sys.exit(main())
