"""What is known of the change between two visits: outlines, registration, repeatability and growth, on real pictures.

Needs the data folder with masks (`ham10000_masks_256.tar`) and the `evaluate` extra.

    python benchmarks/change.py outline --folds 0 --pictures 400
    python benchmarks/change.py registration --folds 0 --pictures 40
    python benchmarks/change.py pairs --folds 0 --pictures 100
    python benchmarks/change.py repeatability --folds 1 --pictures 800
    python benchmarks/change.py growth --folds 0 --pictures 12
    python benchmarks/change.py speed
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from change_parts.outlines import measure_outlines
from change_parts.pairs import measure_pairs
from change_parts.registrations import measure_registration
from change_parts.repeats import measure_growth, measure_repeatability
from change_parts.speed import measure_speed

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "outline": measure_outlines,
    "registration": measure_registration,
    "pairs": measure_pairs,
    "repeatability": measure_repeatability,
    "growth": measure_growth,
    "speed": measure_speed,
}


def main() -> None:
    """Measure one part and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folds", type=int, nargs="+", default=[0])
    parser.add_argument("--pictures", type=int, default=100, help="most pictures, or pairs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{options.part}: folds {options.folds}, at most {options.pictures} pictures, seed {options.seed}")
    PARTS[options.part](options)


if __name__ == "__main__":
    main()
