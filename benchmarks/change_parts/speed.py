"""How long it takes to compare two photographs of 12 megapixels: alone on the machine, it should be well under 2 s."""

from __future__ import annotations

import argparse
import time

import numpy as np
from PIL import Image

from lesionlens.tracker.change import compare
from lesionlens.tracker.change.rephotograph import Ranges, draw_shot, rephotograph
from lesionlens.training.outline_examples import pictures_with_masks

__all__ = ["measure_speed"]

SIZE = (4000, 3000)
REPEATS = 5


def measure_speed(options: argparse.Namespace) -> None:
    """Print medians of the time on the clock and on the processor, all cores together."""
    _, pixels, _ = next(iter(pictures_with_masks(options.data, options.folds, 1, options.seed)))
    first = Image.fromarray(pixels)
    second, _ = rephotograph(first, draw_shot(np.random.default_rng(options.seed), Ranges()))
    for name, size in (("at the working size", first.size), ("of 12 megapixels", SIZE)):
        before, after = (p.resize(size, Image.Resampling.BICUBIC) for p in (first, second))
        compare(before, after)  # the fitted classifier is read once
        clock, processor = [], []
        for _ in range(REPEATS):
            began, computed = time.perf_counter(), time.process_time()
            compare(before, after)
            clock.append(time.perf_counter() - began)
            processor.append(time.process_time() - computed)
        print(f"two photographs {name}: {np.median(clock):.2f} s, on the processor {np.median(processor):.2f} s")
