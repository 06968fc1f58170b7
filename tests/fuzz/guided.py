"""Fuzzing led by coverage: atheris keeps an input that reaches new code of the Python readers, and goes on from it.

    PYTHONPATH=tests python -m fuzz.guided -max_total_time=600

Needs `pip install atheris` (the extra `fuzz`; built for Linux, up to Python 3.13). The options are those of libFuzzer.
It sees into Pillow's Python and ours, not into the decoders in C: the campaigns of `fuzz` cover those better, and hold
each input to its memory and time as well. An input that does harm is saved as `crash-…` in the working folder.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["PIL", "lesionlens.imaging"]):
    from fuzz.mutate import Case, damage
    from fuzz.seeds import drawn_seeds, real_seeds
    from fuzz.targets import read_picture

__all__ = ["main"]


def _read(data: bytes) -> None:
    read_picture(Case(len(data), "guided", data))


def _mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Damage an input as the campaigns do, or as libFuzzer would."""
    rng = random.Random(seed)
    if rng.random() < 0.3:
        return bytes(atheris.Mutate(data, max_size))
    damaged, _ = damage(rng, data, rng.choice(list(drawn_seeds().values())))
    return damaged[:max_size]


def main() -> None:
    """Run libFuzzer over the good files; it ends the process."""
    with tempfile.TemporaryDirectory(prefix="fuzz-corpus-") as folder:
        for name, data in (drawn_seeds() | real_seeds()).items():
            (Path(folder) / name).write_bytes(data)
        options = ["-max_len=20000", "-rss_limit_mb=2048", "-timeout=30", *sys.argv[1:]]
        atheris.Setup([sys.argv[0], *options, folder], _read, custom_mutator=_mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
