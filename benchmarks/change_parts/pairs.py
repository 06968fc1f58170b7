"""Two real photographs of one lesion: how they are laid on each other, and what change is claimed of them.

HAM10000 shows many lesions twice, at another magnification or angle, or at another visit; which, it does not say. So
a claim here is not always a false one.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from change_parts.figures import dice, share_with_interval
from lesionlens.datasets.isic import ImageSource, read_samples
from lesionlens.datasets.masks import MaskSource
from lesionlens.imaging import decode
from lesionlens.tracker.change import Outline, compare, register
from lesionlens.tracker.change.affine import warp
from lesionlens.tracker.change.working import to_working

__all__ = ["measure_pairs", "real_pairs"]

Bools = npt.NDArray[np.bool_]

MOST_ZOOM = 1.25
"""Up to this zoom, in either direction, two photographs count as taken from about as far: that of the made ones."""


def real_pairs(
    data: Path, folds: Sequence[int], seed: int
) -> Iterator[tuple[list[npt.NDArray[np.uint8]], list[Bools]]]:
    """Yield two real photographs of each lesion that has several, at the working size, with their masks."""
    masks, images = MaskSource(data), ImageSource(data)
    samples = [s for s in read_samples(data) if s.fold in folds and s.image in masks and s.image in images]
    ordered = itertools.groupby(sorted(samples, key=lambda s: (s.group, s.image)), key=lambda s: s.group)
    groups = [two for _, group in ordered if len(two := list(group)[:2]) == 2]
    for i in np.random.default_rng(seed).permutation(len(groups)):
        two = groups[int(i)]
        pixels = [to_working(decode(images.read(s.image)).image) for s in two]
        yield pixels, [masks.read(s.image) for s in two]


def measure_pairs(options: argparse.Namespace) -> None:
    """Print how real second photographs are laid on the first, what is claimed of them, and what of other lesions."""
    overlaps: dict[str, list[tuple[float, float]]] = {}
    claims: Counter[str] = Counter()
    claimed: dict[bool, list[bool]] = {True: [], False: []}
    others = trusted = 0
    previous: tuple[Image.Image, Outline] | None = None
    pairs = real_pairs(options.data, options.folds, options.seed)
    for pixels, masks in itertools.islice(pairs, options.pictures):
        before, after = (Image.fromarray(p) for p in pixels)
        change = compare(before, after)
        found = change.registration
        moved = warp(masks[1].astype(np.float32), found.matrix, before.size) > 0.5
        overlaps.setdefault(found.method, []).append((dice(masks[0], masks[1]), dice(masks[0], moved)))
        if found.success and all(d.comparable for d in change.differences) and change.differences:
            as_far = 1.0 / MOST_ZOOM <= found.zoom <= MOST_ZOOM
            claimed[as_far].append(any(d.changed for d in change.differences))
            claims.update(d.name for d in change.differences if d.changed)
        if previous is not None:
            others += 1
            known = {"before_outline": previous[1], "after_outline": change.before_outline}
            trusted += register(previous[0], before, **known).success
        previous = before, change.before_outline
    _print_overlaps(overlaps)
    print("\na change is claimed in these pairs that can be compared in full:")
    print(f"- all: {_share(claimed[True] + claimed[False])}")
    print(f"- from about as far (zoom of at most {MOST_ZOOM} either way): {_share(claimed[True])}")
    print(f"- from nearer or further: {_share(claimed[False])}")
    print("claimed:", ", ".join(f"{name} {count}" for name, count in claims.most_common()) or "nothing")
    print(f"photographs of two lesions: taken for one in {share_with_interval(trusted, others)}")


def _share(said: list[bool]) -> str:
    return share_with_interval(sum(said), len(said))


def _print_overlaps(overlaps: dict[str, list[tuple[float, float]]]) -> None:
    total = sum(len(values) for values in overlaps.values())
    good = sum(len(values) for method, values in overlaps.items() if method in ("skin", "details"))
    print(f"brought together: {share_with_interval(good, total)}\n")
    print("| method | pairs | Dice of the masks as they are | laid on each other, mean | median | 5th percentile |")
    print("|---|---|---|---|---|---|")
    for method, values in sorted(overlaps.items()):
        raw, laid = np.asarray(values).T
        figures = f"{raw.mean():.3f} | {laid.mean():.3f} | {np.median(laid):.3f} | {np.percentile(laid, 5):.3f}"
        print(f"| {method} | {len(values)} | {figures} |")
