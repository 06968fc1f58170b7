"""Engines, precisions, threads and batches, in turn in one process, as ratios to ONNX Runtime in fp32.

    python benchmarks/engines                       # both networks, everything; about 6 minutes on two idle cores
    python benchmarks/engines --network lite2 --rounds 5
    python benchmarks/engines --rounds 1 --batches 1,2 --busy          # does it run at all?

lite2 is the network that ships; B5 is EfficientNet-B5 at 456 px with weights that were never trained (how long it takes
does not depend on them, but its agreement says nothing). Needs the extras `openvino`, `quantise`, `train` (for B5) and
psutil. Besides the time on the clock it prints processor time, which other programs on the machine disturb less.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "speed"))  # behind this folder, whose names come first

from agreement import print_agreement
from machine import measuring
from networks import NETWORKS, load_network
from passes import contenders, print_times, run_rounds
from together import print_together

from lesionlens.inference.threads import usable_cpus


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=(*NETWORKS, "both"), default="both")
    parser.add_argument("--rounds", type=int, default=9, help="each contender runs once in each, after one to warm up")
    parser.add_argument("--batches", default="1,2,4,8", help="sizes of batches, with commas between them")
    parser.add_argument("--pictures", type=int, default=64, help="test-fold photos for the agreement (lite2)")
    parser.add_argument("--quantised", type=Path, help="int8 bundle of lite2; default: one is made for this run")
    parser.add_argument("--threads", type=int, default=usable_cpus(), help="compute threads beside 1")
    parser.add_argument("--busy", action="store_true", help="go on though the machine is not idle")
    options = parser.parse_args()
    batches = tuple(int(size) for size in options.batches.split(","))
    with measuring(go_on=options.busy):
        names = NETWORKS if options.network == "both" else (options.network,)
        with tempfile.TemporaryDirectory() as folder:
            for name in names:
                print(f"\n## {name}\n", flush=True)
                network = load_network(name, Path(folder), options.pictures, options.quantised)
                entries = contenders(network, options.threads)
                times = run_rounds(entries, network.photos, batches, options.rounds)
                print_times(times, batches)
                print_together(network, options.threads, options.rounds)
                print_agreement(network, entries)


if __name__ == "__main__":
    main()
