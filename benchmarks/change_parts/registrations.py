"""How often and how well second photographs made by known amounts are laid on the first, and other lesions are not."""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from change_parts.figures import share_with_interval
from lesionlens.tracker.change import Outline, outline, register
from lesionlens.tracker.change.rephotograph import Ranges, Shot, draw_shot, misplacement, rephotograph
from lesionlens.training.outline_examples import pictures_with_masks

__all__ = ["measure_registration"]

Floats = npt.NDArray[np.float64]

ONLY = Ranges(turn=0.0, zoom=0.0, shift=0.0, light=0.0, tint=0.0, gamma=0.0, blur=0.0, quality=95)
WRONG = 5.0
"""Pixels at the working size: a registration that misses by more than this has not found the place."""


def conditions(rng: np.random.Generator) -> dict[str, Callable[[], Shot]]:
    """Return how second photographs are made, by name."""

    def drawn(**changed: float) -> Callable[[], Shot]:
        ranges = Ranges(**{name: changed.get(name, getattr(ONLY, name)) for name in Ranges.__slots__})
        return lambda: draw_shot(rng, ranges)

    every = Ranges()
    return {
        "turned by up to 180°": drawn(turn=every.turn),
        "shifted by up to 8 %": drawn(shift=every.shift),
        "zoomed by up to 1.25": drawn(zoom=every.zoom),
        "zoomed by up to 1.6": drawn(zoom=math.log(1.6)),
        "recoloured": drawn(light=every.light, tint=every.tint, gamma=every.gamma),
        "blurred, 1.5 px": lambda: Shot(blur=1.5, quality=95),
        "JPEG quality 40": lambda: Shot(quality=40),
        "all of it": lambda: draw_shot(rng, every),
        "all of it, and a crop of 80 %": lambda: draw_shot(rng, every),
    }


def cropped(image: Image.Image) -> tuple[Image.Image, Floats]:
    """Return the upper left 80 % of a picture, at its old size, and where points of the picture lie in it."""
    side = round(0.8 * image.width)
    part = image.crop((0, 0, side, side)).resize(image.size, Image.Resampling.BICUBIC)
    zoom = image.width / side
    return part, np.array([[zoom, 0.0, 0.0], [0.0, zoom, 0.0]])


def measure_registration(options: argparse.Namespace) -> None:
    """Print how often and how well second photographs are laid on the first, and on those of other lesions."""
    rng = np.random.default_rng(options.seed)
    cases = conditions(rng)
    errors: dict[str, list[float]] = {name: [] for name in cases}
    methods: Counter[str] = Counter()
    others = trusted = 0
    previous: tuple[Image.Image, Outline] | None = None
    for _, pixels, _ in pictures_with_masks(options.data, options.folds, options.pictures, options.seed):
        before = Image.fromarray(pixels)
        first = outline(before)
        for name, shot in cases.items():
            after, truth = rephotograph(before, shot())
            if "crop" in name:
                after, part = cropped(after)
                truth = np.column_stack([part[:, :2] @ truth[:, :2], part[:, :2] @ truth[:, 2] + part[:, 2]])
            found = register(before, after, before_outline=first)
            methods[found.method] += 1
            errors[name].append(misplacement(found.matrix, truth, before.size) if found.success else math.nan)
        if previous is not None:
            others += 1
            trusted += register(previous[0], before, before_outline=previous[1], after_outline=first).success
        previous = before, first
    _print_errors(errors)
    print("methods:", ", ".join(f"{name} {count}" for name, count in sorted(methods.items())))
    print(f"another lesion: taken for the same in {share_with_interval(trusted, others)}")


def _print_errors(errors: dict[str, list[float]]) -> None:
    print(f"| second photograph | success | median error, px | 90 % | 95 % | worst | success, but over {WRONG:g} px |")
    print("|---|---|---|---|---|---|---|")
    for name, values in (*errors.items(), ("together", [v for part in errors.values() for v in part])):
        good = np.asarray([v for v in values if not math.isnan(v)])
        figures = "– | – | – | – | –"
        if len(good):
            shown = (*np.percentile(good, [50, 90, 95]), good.max())
            figures = " | ".join((*(f"{v:.2f}" for v in shown), str(int((good > WRONG).sum()))))
        print(f"| {name} | {len(good)} of {len(values)} | {figures} |")
