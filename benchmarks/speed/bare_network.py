"""The network alone, in a process of its own: the floor under every request of the service.

It loads a bundle into an engine as the service does, prepares one photo, and for each number that it reads from
standard input runs so many forward passes and prints the seconds that each took, as JSON. What a request takes beyond
this is the service's own.

    echo 5 | python benchmarks/speed/bare_network.py BUNDLE PHOTO --engine auto
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from lesionlens import Bundle
from lesionlens.imaging import decode, preprocess
from lesionlens.inference.engines import create_engine


def main() -> None:
    """Answer until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle)
    spec = bundle.manifest.preprocessing
    batch = preprocess(decode(options.photo.read_bytes(), min_side=spec.decode_side).image, spec)[None]
    engine = create_engine(bundle.graph_path, options.engine, options.threads, options.precision)
    print(json.dumps(engine.info._asdict()), flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            begun = time.perf_counter()
            engine.run(batch)
            seconds.append(time.perf_counter() - begun)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
